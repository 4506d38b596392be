// SPDX-License-Identifier: Apache-2.0

// The life of a function through the AWS SDK for Go, step for step as life.py; prints what it saw.
//
//	life NAME A.zip B.zip LAYER.zip      with AWS_ENDPOINT_URL, ROLE and keys in the environment
package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"sort"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
)

type list = []any

var (
	ctx      = context.Background()
	client   *lambda.Client
	name     = aws.String(os.Args[1])
	role     = aws.String(os.Getenv("ROLE"))
	live     = aws.String("live")
	archives [3][]byte
	saw      = map[string]any{}
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// ok makes a call that must succeed.
func ok[I, O any](call func(context.Context, *I, ...func(*lambda.Options)) (*O, error), in I) *O {
	out, err := call(ctx, &in)
	check(err)
	return out
}

// fails makes a call that must not; gives name, status and message of its error.
func fails[I, O any](call func(context.Context, *I, ...func(*lambda.Options)) (*O, error), in I) list {
	out, err := call(ctx, &in)
	if err == nil {
		panic(fmt.Sprintf("%T was to fail and answered %v", in, out))
	}
	var api smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		panic(err)
	}
	return list{api.ErrorCode(), response.HTTPStatusCode(), api.ErrorMessage()}
}

func until(what string, good func() bool) {
	for end := time.Now().Add(time.Minute); !good(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			panic(what + " did not come true")
		}
	}
}

func parsed(text []byte) any {
	var value any
	check(json.Unmarshal(text, &value))
	return value
}

func invoke(qualifier string) list {
	out := ok(client.Invoke, lambda.InvokeInput{FunctionName: name, Qualifier: &qualifier, Payload: []byte(`{"n": 1}`)})
	return list{*out.ExecutedVersion, parsed(out.Payload)}
}

func fetch(url string) string {
	answer, err := http.Get(url)
	check(err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	check(err)
	hash := sha256.Sum256(data)
	return base64.StdEncoding.EncodeToString(hash[:])
}

func updated() {
	waiter := lambda.NewFunctionUpdatedV2Waiter(client, func(o *lambda.FunctionUpdatedV2WaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Second, time.Second
	})
	check(waiter.Wait(ctx, &lambda.GetFunctionInput{FunctionName: name}, time.Minute))
}

func published(version *string) {
	waiter := lambda.NewPublishedVersionActiveWaiter(client, func(o *lambda.PublishedVersionActiveWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Second, time.Second
	})
	check(waiter.Wait(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: name, Qualifier: version}, time.Minute))
}

func creation(name string) lambda.CreateFunctionInput {
	return lambda.CreateFunctionInput{FunctionName: &name, Role: role, Runtime: types.RuntimePython311,
		Handler: aws.String("app.handler"), Code: &types.FunctionCode{ZipFile: archives[0]}}
}

func functions() {
	in := creation(*name)
	in.Description, in.Timeout, in.MemorySize = aws.String("first"), aws.Int32(10), aws.Int32(128)
	in.Environment = &types.Environment{Variables: map[string]string{"WORD": "one"}}
	in.Tags = map[string]string{"team": "a b+c"}
	made := ok(client.CreateFunction, in)
	saw["created"] = list{made.State, *made.Version, *made.CodeSha256}
	get := lambda.GetFunctionInput{FunctionName: name}
	check(lambda.NewFunctionExistsWaiter(client).Wait(ctx, &get, time.Minute))
	active := lambda.NewFunctionActiveV2Waiter(client, func(o *lambda.FunctionActiveV2WaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Second, time.Second
	})
	check(active.Wait(ctx, &get, time.Minute))
	got := ok(client.GetFunction, get)
	conf := got.Configuration
	saw["got"] = list{conf.State, conf.LastUpdateStatus, *conf.Description, conf.Environment.Variables, got.Tags}
	saw["location"] = fetch(*got.Code.Location)
	saw["invoked"] = invoke("$LATEST")
	tail := ok(client.Invoke, lambda.InvokeInput{FunctionName: name, Payload: []byte(`{"n": 2}`), LogType: types.LogTypeTail})
	log, err := base64.StdEncoding.DecodeString(*tail.LogResult)
	check(err)
	saw["logged"] = strings.Contains(string(log), "said 2\n")
	next := ok(client.UpdateFunctionConfiguration, lambda.UpdateFunctionConfigurationInput{FunctionName: name,
		MemorySize: aws.Int32(256), Environment: &types.Environment{Variables: map[string]string{"WORD": "two"}}})
	saw["updating"] = list{*next.MemorySize, next.Environment.Variables, next.LastUpdateStatus}
	updated()
	saw["reinvoked"] = invoke("$LATEST")
}

func versions() {
	one := ok(client.PublishVersion, lambda.PublishVersionInput{FunctionName: name, Description: aws.String("one")})
	published(one.Version)
	conf := ok(client.UpdateFunctionCode, lambda.UpdateFunctionCodeInput{FunctionName: name, ZipFile: archives[1]})
	updated()
	two := ok(client.PublishVersion, lambda.PublishVersionInput{FunctionName: name, Description: aws.String("two"), CodeSha256: conf.CodeSha256})
	again := ok(client.PublishVersion, lambda.PublishVersionInput{FunctionName: name})
	published(two.Version)
	saw["published"] = list{*one.Version, *one.Description, *two.Version, *again.Version, *conf.CodeSha256}
	saw["versions_invoked"] = list{invoke("1"), invoke("2")}
}

func aliases() {
	made := ok(client.CreateAlias, lambda.CreateAliasInput{FunctionName: name, Name: live, FunctionVersion: aws.String("1")})
	saw["alias"] = list{*made.AliasArn, *made.FunctionVersion, made.RoutingConfig, invoke("live")}
	weights := func(w map[string]float64) *types.AliasRoutingConfiguration {
		return &types.AliasRoutingConfiguration{AdditionalVersionWeights: w}
	}
	ok(client.UpdateAlias, lambda.UpdateAliasInput{FunctionName: name, Name: live, RoutingConfig: weights(map[string]float64{"2": 0.25})})
	saw["alias_weighted"] = ok(client.GetAlias, lambda.GetAliasInput{FunctionName: name, Name: live}).RoutingConfig.AdditionalVersionWeights
	ok(client.UpdateAlias, lambda.UpdateAliasInput{FunctionName: name, Name: live, RoutingConfig: weights(map[string]float64{}), FunctionVersion: aws.String("2")})
	saw["alias_moved"] = invoke("live")
	ok(client.CreateAlias, lambda.CreateAliasInput{FunctionName: name, Name: aws.String("spare"), FunctionVersion: aws.String("1")})
}

func policies() {
	added := ok(client.AddPermission, lambda.AddPermissionInput{FunctionName: name, Qualifier: live, StatementId: aws.String("rule"),
		Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("events.amazonaws.com"),
		SourceArn: aws.String("arn:aws:events:us-east-1:000000000000:rule/r")})
	saw["statement"] = parsed([]byte(*added.Statement))
	get := lambda.GetPolicyInput{FunctionName: name, Qualifier: live}
	saw["policy"] = parsed([]byte(*ok(client.GetPolicy, get).Policy))
	ok(client.RemovePermission, lambda.RemovePermissionInput{FunctionName: name, Qualifier: live, StatementId: aws.String("rule")})
	saw["policy_gone"] = fails(client.GetPolicy, get)
}

func tags() {
	arn := ok(client.GetFunctionConfiguration, lambda.GetFunctionConfigurationInput{FunctionName: name}).FunctionArn
	ok(client.TagResource, lambda.TagResourceInput{Resource: arn, Tags: map[string]string{"level": "2", "odd": "ä=/"}})
	ok(client.UntagResource, lambda.UntagResourceInput{Resource: arn, TagKeys: []string{"team"}})
	saw["tags"] = ok(client.ListTags, lambda.ListTagsInput{Resource: arn}).Tags
}

func urls() {
	made := ok(client.CreateFunctionUrlConfig, lambda.CreateFunctionUrlConfigInput{FunctionName: name, Qualifier: live,
		AuthType: types.FunctionUrlAuthTypeNone, Cors: &types.Cors{AllowOrigins: []string{"*"}, MaxAge: aws.Int32(60)}})
	saw["url"] = list{*made.FunctionUrl, made.AuthType, map[string]any{"AllowOrigins": made.Cors.AllowOrigins, "MaxAge": made.Cors.MaxAge}}
	ok(client.UpdateFunctionUrlConfig, lambda.UpdateFunctionUrlConfigInput{FunctionName: name, Qualifier: live,
		AuthType: types.FunctionUrlAuthTypeAwsIam, InvokeMode: types.InvokeModeResponseStream})
	get := lambda.GetFunctionUrlConfigInput{FunctionName: name, Qualifier: live}
	got := ok(client.GetFunctionUrlConfig, get)
	listed := ok(client.ListFunctionUrlConfigs, lambda.ListFunctionUrlConfigsInput{FunctionName: name}).FunctionUrlConfigs
	saw["url_updated"] = list{got.AuthType, got.InvokeMode, *got.FunctionUrl == *made.FunctionUrl, len(listed)}
	ok(client.DeleteFunctionUrlConfig, lambda.DeleteFunctionUrlConfigInput{FunctionName: name, Qualifier: live})
	saw["url_gone"] = fails(client.GetFunctionUrlConfig, get)[:2]
}

func eventSources() {
	function := aws.String(*name + ":live")
	made := ok(client.CreateEventSourceMapping, lambda.CreateEventSourceMappingInput{FunctionName: function,
		EventSourceArn: aws.String("arn:aws:sqs:us-east-1:000000000000:" + *name), BatchSize: aws.Int32(5), Enabled: aws.Bool(false),
		FilterCriteria: &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"body": {"n": [1]}}`)}}}})
	saw["source"] = list{*made.State, *made.BatchSize, *made.FunctionArn, *made.FilterCriteria.Filters[0].Pattern}
	get := lambda.GetEventSourceMappingInput{UUID: made.UUID}
	disabled := func() bool { return *ok(client.GetEventSourceMapping, get).State == "Disabled" }
	until("a disabled mapping", disabled)
	changed := ok(client.UpdateEventSourceMapping, lambda.UpdateEventSourceMappingInput{UUID: made.UUID, BatchSize: aws.Int32(7)})
	until("a disabled mapping", disabled)
	same := list{}
	for _, m := range ok(client.ListEventSourceMappings, lambda.ListEventSourceMappingsInput{EventSourceArn: made.EventSourceArn}).EventSourceMappings {
		same = append(same, *m.UUID == *made.UUID)
	}
	saw["source_updated"] = list{*changed.State, *ok(client.GetEventSourceMapping, get).BatchSize, same}
	saw["source_deleted"] = *ok(client.DeleteEventSourceMapping, lambda.DeleteEventSourceMappingInput{UUID: made.UUID}).State
	until("a list without the mapping", func() bool {
		return len(ok(client.ListEventSourceMappings, lambda.ListEventSourceMappingsInput{FunctionName: function}).EventSourceMappings) == 0
	})
	saw["source_gone"] = fails(client.GetEventSourceMapping, get)[:2]
}

func layers() {
	layer, one := aws.String(*name+"-words"), int64(1)
	made := ok(client.PublishLayerVersion, lambda.PublishLayerVersionInput{LayerName: layer, Description: aws.String("words"),
		Content:            &types.LayerVersionContentInput{ZipFile: archives[2]},
		CompatibleRuntimes: []types.Runtime{types.RuntimePython311}, CompatibleArchitectures: []types.Architecture{types.ArchitectureX8664},
		LicenseInfo: aws.String("Apache-2.0")})
	saw["layer"] = list{*made.LayerVersionArn, made.Version, made.CompatibleRuntimes, *made.Content.CodeSha256}
	get := lambda.GetLayerVersionInput{LayerName: layer, VersionNumber: &one}
	got := ok(client.GetLayerVersion, get)
	byArn := ok(client.GetLayerVersionByArn, lambda.GetLayerVersionByArnInput{Arn: made.LayerVersionArn})
	saw["layer_got"] = list{*got.Description, *byArn.LicenseInfo}
	saw["layer_location"] = fetch(*got.Content.Location)
	mine, numbers := list{}, list{}
	for _, l := range ok(client.ListLayers, lambda.ListLayersInput{CompatibleRuntime: types.RuntimePython311}).Layers {
		if *l.LayerName == *layer {
			mine = append(mine, l.LatestMatchingVersion.Version)
		}
	}
	for _, v := range ok(client.ListLayerVersions, lambda.ListLayerVersionsInput{LayerName: layer}).LayerVersions {
		numbers = append(numbers, v.Version)
	}
	saw["layers"] = list{mine, numbers}
	ok(client.AddLayerVersionPermission, lambda.AddLayerVersionPermissionInput{LayerName: layer, VersionNumber: &one,
		StatementId: aws.String("all"), Action: aws.String("lambda:GetLayerVersion"), Principal: aws.String("*")})
	policy := ok(client.GetLayerVersionPolicy, lambda.GetLayerVersionPolicyInput{LayerName: layer, VersionNumber: &one}).Policy
	saw["layer_policy"] = parsed([]byte(*policy)).(map[string]any)["Statement"].(list)[0]
	ok(client.RemoveLayerVersionPermission, lambda.RemoveLayerVersionPermissionInput{LayerName: layer, VersionNumber: &one, StatementId: aws.String("all")})
	ok(client.UpdateFunctionConfiguration, lambda.UpdateFunctionConfigurationInput{FunctionName: name, Layers: []string{*made.LayerVersionArn}})
	updated()
	ok(client.DeleteLayerVersion, lambda.DeleteLayerVersionInput{LayerName: layer, VersionNumber: &one})
	saw["layer_gone"] = fails(client.GetLayerVersion, get)[:2]
	saw["layer_invoked"] = invoke("$LATEST")
}

func concurrency() {
	saw["reserved"] = *ok(client.PutFunctionConcurrency, lambda.PutFunctionConcurrencyInput{FunctionName: name,
		ReservedConcurrentExecutions: aws.Int32(5)}).ReservedConcurrentExecutions
	reserved := lambda.GetFunctionConcurrencyInput{FunctionName: name}
	saw["reserved_got"] = list{*ok(client.GetFunctionConcurrency, reserved).ReservedConcurrentExecutions,
		*ok(client.GetFunction, lambda.GetFunctionInput{FunctionName: name}).Concurrency.ReservedConcurrentExecutions}
	made := ok(client.PutProvisionedConcurrencyConfig, lambda.PutProvisionedConcurrencyConfigInput{FunctionName: name, Qualifier: live,
		ProvisionedConcurrentExecutions: aws.Int32(1)})
	get := lambda.GetProvisionedConcurrencyConfigInput{FunctionName: name, Qualifier: live}
	until("ready provisioned concurrency", func() bool {
		return ok(client.GetProvisionedConcurrencyConfig, get).Status == types.ProvisionedConcurrencyStatusEnumReady
	})
	arns := list{}
	for _, p := range ok(client.ListProvisionedConcurrencyConfigs, lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: name}).ProvisionedConcurrencyConfigs {
		arns = append(arns, *p.FunctionArn)
	}
	saw["provisioned"] = list{made.Status, *ok(client.GetProvisionedConcurrencyConfig, get).AvailableProvisionedConcurrentExecutions, arns}
	ok(client.DeleteProvisionedConcurrencyConfig, lambda.DeleteProvisionedConcurrencyConfigInput{FunctionName: name, Qualifier: live})
	saw["provisioned_gone"] = fails(client.GetProvisionedConcurrencyConfig, get)[:2]
	ok(client.DeleteFunctionConcurrency, lambda.DeleteFunctionConcurrencyInput{FunctionName: name})
	saw["reserved_gone"] = ok(client.GetFunctionConcurrency, reserved).ReservedConcurrentExecutions
}

func eventConfigs() {
	ok(client.PutFunctionEventInvokeConfig, lambda.PutFunctionEventInvokeConfigInput{FunctionName: name,
		MaximumRetryAttempts: aws.Int32(1), MaximumEventAgeInSeconds: aws.Int32(100)})
	ok(client.UpdateFunctionEventInvokeConfig, lambda.UpdateFunctionEventInvokeConfigInput{FunctionName: name, MaximumEventAgeInSeconds: aws.Int32(200)})
	get := lambda.GetFunctionEventInvokeConfigInput{FunctionName: name}
	got := ok(client.GetFunctionEventInvokeConfig, get)
	listed := ok(client.ListFunctionEventInvokeConfigs, lambda.ListFunctionEventInvokeConfigsInput{FunctionName: name}).FunctionEventInvokeConfigs
	saw["event_config"] = list{*got.MaximumRetryAttempts, *got.MaximumEventAgeInSeconds, len(listed)}
	ok(client.DeleteFunctionEventInvokeConfig, lambda.DeleteFunctionEventInvokeConfigInput{FunctionName: name})
	saw["event_config_gone"] = fails(client.GetFunctionEventInvokeConfig, get)[:2]
}

func lists() {
	for _, other := range []string{"-x", "-y"} {
		ok(client.CreateFunction, creation(*name+other))
	}
	found := list{}
	all := lambda.NewListFunctionsPaginator(client, &lambda.ListFunctionsInput{MaxItems: aws.Int32(2)})
	for all.HasMorePages() {
		page, err := all.NextPage(ctx)
		check(err)
		for _, f := range page.Functions {
			if strings.HasPrefix(*f.FunctionName, *name) {
				found = append(found, *f.FunctionName)
			}
		}
	}
	saw["functions"] = found
	pages := list{}
	byVersion := lambda.NewListVersionsByFunctionPaginator(client, &lambda.ListVersionsByFunctionInput{FunctionName: name, MaxItems: aws.Int32(2)})
	for byVersion.HasMorePages() {
		page, err := byVersion.NextPage(ctx)
		check(err)
		numbers := list{}
		for _, v := range page.Versions {
			numbers = append(numbers, *v.Version)
		}
		pages = append(pages, numbers)
	}
	saw["versions"] = pages
	pages = list{}
	byAlias := lambda.NewListAliasesPaginator(client, &lambda.ListAliasesInput{FunctionName: name, MaxItems: aws.Int32(1)})
	for byAlias.HasMorePages() {
		page, err := byAlias.NextPage(ctx)
		check(err)
		names := list{}
		for _, a := range page.Aliases {
			names = append(names, *a.Name)
		}
		pages = append(pages, names)
	}
	saw["aliases"] = pages
	text, err := json.Marshal(ok(client.GetAccountSettings, lambda.GetAccountSettingsInput{}).AccountLimit)
	check(err)
	limits := []string{}
	for key, value := range parsed(text).(map[string]any) {
		if value != nil && value != 0.0 {
			limits = append(limits, key)
		}
	}
	sort.Strings(limits)
	saw["limits"] = limits
}

func failures() {
	saw["missing"] = fails(client.GetFunction, lambda.GetFunctionInput{FunctionName: aws.String(*name + "-none")})
	saw["conflict"] = fails(client.CreateFunction, creation(*name))
	saw["stale"] = fails(client.UpdateFunctionConfiguration, lambda.UpdateFunctionConfigurationInput{FunctionName: name,
		Description: aws.String("x"), RevisionId: aws.String("00000000-0000-4000-8000-000000000000")})
	saw["in_use"] = fails(client.DeleteFunction, lambda.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("2")})
}

func end() {
	ok(client.DeleteAlias, lambda.DeleteAliasInput{FunctionName: name, Name: live})
	ok(client.DeleteAlias, lambda.DeleteAliasInput{FunctionName: name, Name: aws.String("spare")})
	ok(client.DeleteFunction, lambda.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("1")})
	left := list{}
	for _, v := range ok(client.ListVersionsByFunction, lambda.ListVersionsByFunctionInput{FunctionName: name}).Versions {
		left = append(left, *v.Version)
	}
	saw["left"] = left
	for _, other := range []string{"", "-x", "-y"} {
		ok(client.DeleteFunction, lambda.DeleteFunctionInput{FunctionName: aws.String(*name + other)})
	}
	saw["gone"] = list{fails(client.GetFunction, lambda.GetFunctionInput{FunctionName: name})[:2],
		fails(client.Invoke, lambda.InvokeInput{FunctionName: name})[:2]}
}

// clientName says which version of the SDK was built in.
func clientName() string {
	build, _ := debug.ReadBuildInfo()
	for _, module := range build.Deps {
		if strings.HasSuffix(module.Path, "/service/lambda") {
			return "Go SDK, lambda " + module.Version
		}
	}
	return "Go SDK"
}

func main() {
	for i := range archives {
		data, err := os.ReadFile(os.Args[2+i])
		check(err)
		archives[i] = data
	}
	settings, err := config.LoadDefaultConfig(ctx, config.WithRegion("us-east-1"), config.WithRetryMaxAttempts(1))
	check(err)
	client = lambda.NewFromConfig(settings)
	saw["client"] = clientName()
	for _, part := range []func(){functions, versions, aliases, policies, tags, urls, eventSources, layers, concurrency, eventConfigs,
		lists, failures, end} {
		part()
	}
	text, err := json.Marshal(saw)
	check(err)
	fmt.Println(string(text))
}
