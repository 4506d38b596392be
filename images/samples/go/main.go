// SPDX-License-Identifier: Apache-2.0

// Zip function for provided.al2023 with AWS's Go runtime client: does what the event asks for.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type request struct {
	Text  string `json:"text"`
	Fail  string `json:"fail"`  // answer with this error
	Panic string `json:"panic"` // panic with it
	Sleep int    `json:"sleep"` // seconds
	Env   bool   `json:"env"`   // answer with the environment
	Lines int    `json:"lines"` // stream so many, half a second apart
	Break string `json:"break"` // and then this error
}

type answer struct {
	Hello     string            `json:"hello"`
	Text      string            `json:"text"`
	RequestID string            `json:"requestId"`
	Arn       string            `json:"arn"`
	Remaining int64             `json:"remaining"`
	Env       map[string]string `json:"env,omitempty"`
}

func stream(req request) io.Reader {
	out, in := io.Pipe()
	go func() {
		for n := 0; n < req.Lines; n++ {
			if n > 0 {
				time.Sleep(500 * time.Millisecond)
			}
			fmt.Fprintf(in, "line %d\n", n)
		}
		if req.Break != "" {
			in.CloseWithError(errors.New(req.Break))
		}
		in.Close()
	}()
	return out
}

func handle(ctx context.Context, req request) (any, error) {
	log.Println("go says", req.Text)
	if req.Fail != "" {
		return nil, errors.New(req.Fail)
	}
	if req.Panic != "" {
		panic(req.Panic)
	}
	if req.Lines > 0 {
		return stream(req), nil
	}
	time.Sleep(time.Duration(req.Sleep) * time.Second)
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	a := &answer{Hello: "from Go", Text: req.Text, RequestID: lc.AwsRequestID, Arn: lc.InvokedFunctionArn,
		Remaining: time.Until(deadline).Milliseconds()}
	if req.Env {
		a.Env = map[string]string{}
		for _, v := range os.Environ() {
			name, value, _ := strings.Cut(v, "=")
			a.Env[name] = value
		}
	}
	return a, nil
}

func main() {
	lambda.Start(handle)
}
