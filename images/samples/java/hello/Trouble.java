// SPDX-License-Identifier: Apache-2.0
package hello;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What goes wrong, and what the function sees: each method is a handler of its own. */
public class Trouble {
    public String fail(String words) {
        throw new IllegalStateException(words);
    }

    public String exit(int status) {
        System.exit(status);
        return "not reached";
    }

    public String sleep(int seconds) throws InterruptedException {
        Thread.sleep(seconds * 1000L);
        return "slept";
    }

    public int fill(int mb) {
        List<byte[]> kept = new ArrayList<>();
        for (int i = 0; i < mb; i++) {
            kept.add(new byte[1 << 20]);
        }
        return kept.size();
    }

    public Map<String, String> environment() {
        return System.getenv();
    }

    public String property(String name) {
        return System.getProperty(name);
    }

    public long heap() {
        return Runtime.getRuntime().maxMemory() >> 20;
    }
}
