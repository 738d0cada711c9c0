// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.memory.Hot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Methods marked `@Hot` that break the rules, one each, and some that keep them: what the checker is checked with.
final class HotSamples {
    private HotSamples() {}

    static class Wrong {
        private static final Logger LOG = LoggerFactory.getLogger(Wrong.class);

        private final List<String> list = new ArrayList<>();
        private int number;

        @Hot
        Object newObject() {
            return new Object();
        }

        @Hot
        RuntimeException exceptionNotThrown() {
            return new IllegalStateException();
        }

        @Hot
        int[] primitiveArray() {
            return new int[3];
        }

        @Hot
        String[] referenceArray() {
            return new String[3];
        }

        @Hot
        int[][] arrayOfArrays() {
            return new int[2][3];
        }

        @Hot
        int[] clonedArray(int[] array) {
            return array.clone();
        }

        @Hot
        Object boxing() {
            return number;
        }

        @Hot
        Supplier<Integer> lambda() {
            return () -> number;
        }

        @Hot
        String concatenation() {
            return "number " + number;
        }

        @Hot
        synchronized int synchronizedMethod() {
            return number;
        }

        @Hot
        int synchronizedBlock() {
            synchronized (list) {
                return number;
            }
        }

        @Hot
        long stream() {
            return list.stream().count();
        }

        @Hot
        String format(String text) {
            return String.format(text);
        }

        @Hot
        void logging() {
            LOG.info("hot");
        }

        @Hot
        int map(Map<String, Object> map) {
            return map.size();
        }

        @Hot
        int iteration() {
            int length = 0;
            for (String text : list) {
                length += text.length();
            }
            return length;
        }

        @Hot
        void callOfUnmarked() {
            unmarked();
        }

        void unmarked() {
            number++;
        }
    }

    interface Marked {
        @Hot
        void run();
    }

    static class Unmarked implements Marked {
        @Override
        public void run() {}
    }

    static class Right {
        enum Colour {
            RED,
            GREEN
        }

        private final float[] array = new float[3];
        private int number;

        int number() {
            return number;
        }

        @Hot
        float loopOverArray() {
            float sum = 0;
            for (float value : array) {
                sum += Math.max(value, 0);
            }
            return sum + number();
        }

        @Hot
        int switchOverEnum(Colour colour) {
            return switch (colour) {
                case RED -> 1;
                case GREEN -> colour.ordinal() + 2;
            };
        }

        @Hot
        void thrownInPlace(int value) {
            if (value > number) {
                throw new IllegalArgumentException("value " + value + " above " + Integer.valueOf(number));
            }
            if (value < 0) {
                throw failure(value);
            }
        }

        @Hot
        void coldExit() {
            if (number > 3) {
                complain();
            }
        }

        private static IllegalStateException failure(int value) {
            return new IllegalStateException("value " + value);
        }

        private void complain() {
            number = 0;
        }
    }
}
