// SPDX-License-Identifier: Apache-2.0
package hello;

/** A handler that cannot be made. */
public class Broken {
    public Broken() {
        throw new IllegalStateException("no start today");
    }

    public String run(String event) {
        return event;
    }
}
