// SPDX-License-Identifier: Apache-2.0
package hello;

/** The answer of {@link Greeter}, as a plain object. */
public class Greeting {
    private final String text;
    private final String requestId;
    private final String arn;
    private final int remaining;

    public Greeting(String text, String requestId, String arn, int remaining) {
        this.text = text;
        this.requestId = requestId;
        this.arn = arn;
        this.remaining = remaining;
    }

    public String getText() { return text; }
    public String getRequestId() { return requestId; }
    public String getArn() { return arn; }
    public int getRemaining() { return remaining; }
}
