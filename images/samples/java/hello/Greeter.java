// SPDX-License-Identifier: Apache-2.0
package hello;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

/** Handlers hello.Greeter (by its interface) and hello.Greeter::greet (by name). */
public class Greeter implements RequestHandler<Person, Greeting> {
    @Override
    public Greeting handleRequest(Person person, Context context) {
        return greet(person, context);
    }

    public Greeting greet(Person person, Context context) {
        context.getLogger().log("java says hello to " + person.getName() + "\n");
        StringBuilder text = new StringBuilder("hello");
        for (int i = 0; i < person.getTimes(); i++) {
            text.append(' ').append(person.getName());
        }
        return new Greeting(text.toString(), context.getAwsRequestId(), context.getInvokedFunctionArn(),
            context.getRemainingTimeInMillis());
    }
}
