// SPDX-License-Identifier: Apache-2.0
package hello;

/** The event of {@link Greeter}, as a plain object. */
public class Person {
    private String name;
    private int times = 1;

    public String getName() { return name; }
    public void setName(String name) { this.name = name; }
    public int getTimes() { return times; }
    public void setTimes(int times) { this.times = times; }
}
