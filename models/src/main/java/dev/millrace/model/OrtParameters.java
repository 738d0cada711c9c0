// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.ort.OrtRuntime;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.SessionSettings.Arena;
import dev.millrace.ort.SessionSettings.Optimization;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// ONNX Runtime's settings among a model's parameters, by the names that Triton has for them. Threads: stateless.
final class OrtParameters {
    static final String INTER_OP = "inter_op_thread_count";
    private static final String MODE = "execution_mode";
    private static final String ARENA = "enable_mem_arena";
    private static final String PATTERN = "enable_mem_pattern";
    private static final String SHRINKAGE = "memory.enable_memory_arena_shrinkage";
    private static final String ENTRY = "session.";
    /// Which allocator a session has decides about the limit of memory, and is not the model's to say.
    private static final String ALLOCATORS = "session.use_env_allocators";

    private OrtParameters() {}

    static boolean isKnown(String key) {
        return switch (key) {
            case INTER_OP, MODE, ARENA, PATTERN, SHRINKAGE -> true;
            default -> key.startsWith(ENTRY);
        };
    }

    /// Checks every value, and that they go together.
    ///
    /// @throws IllegalArgumentException naming the parameter, what came and what was expected
    static void check(Map<String, String> parameters) {
        parameters.forEach((key, value) -> {
            if (!isKnown(key) || key.equals(ALLOCATORS) || key.equals(ENTRY)) {
                throw new IllegalArgumentException("parameter '" + key + "' came, expected " + INTER_OP + ", " + MODE
                        + ", " + ARENA + ", " + PATTERN + ", " + SHRINKAGE + " or " + ENTRY + "* without "
                        + ALLOCATORS);
            }
            String expected = key.startsWith(ENTRY) ? "" : expected(key);
            if (value.isEmpty() || (!expected.isEmpty() && !value.matches(expected))) {
                throw new IllegalArgumentException("parameter '" + key + "' is '" + value + "', expected "
                        + (expected.isEmpty()
                                ? "a value"
                                : expected.replace("[0-9]{1,4}", "a number of threads")
                                        .replace("|", " or ")));
            }
        });
        if (!is(parameters, ARENA, "1") && parameters.containsKey(SHRINKAGE)) {
            throw new IllegalArgumentException("parameter '" + SHRINKAGE + "' came with " + ARENA
                    + " 0, expected one of them: without an arena nothing shrinks");
        }
    }

    /// What a value looks like.
    private static String expected(String key) {
        return switch (key) {
            case INTER_OP -> "[0-9]{1,4}";
            case SHRINKAGE -> "cpu:0";
            default -> "0|1";
        };
    }

    /// Whether a parameter has a value; 1 unless it is given, but for the mode, which is 0.
    private static boolean is(Map<String, String> parameters, String key, String value) {
        return parameters.getOrDefault(key, key.equals(MODE) ? "0" : "1").equals(value);
    }

    /// How a session is to be opened.
    static SessionSettings settings(ModelConfig config, int intraOpThreads) {
        Map<String, String> parameters = config.parameters();
        Map<String, String> entries = new TreeMap<>(parameters);
        entries.keySet().removeIf(key -> !key.startsWith(ENTRY));
        Arena arena = parameters.containsKey(SHRINKAGE) ? Arena.SHRINKS : Arena.KEEPS;
        return new SessionSettings(
                config.intraOpThreads().orElse(intraOpThreads),
                is(parameters, MODE, "1") ? interOpThreads(parameters) : 0,
                optimization(config.graphOptimizationLevel().orElse(0)),
                is(parameters, ARENA, "1") ? arena : Arena.NONE,
                is(parameters, PATTERN, "1"),
                entries);
    }

    /// As many as there are processors unless it is said, as ONNX Runtime has it.
    private static int interOpThreads(Map<String, String> parameters) {
        int threads = Integer.parseInt(parameters.getOrDefault(INTER_OP, "0"));
        return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    }

    /// Triton's levels for ONNX models.
    private static Optimization optimization(int level) {
        return switch (level) {
            case -1 -> Optimization.BASIC;
            case 1 -> Optimization.EXTENDED;
            case 2 -> Optimization.NONE;
            default -> Optimization.ALL;
        };
    }

    /// What is asked for and has no effect, one sentence each.
    static List<String> withoutEffect(Map<String, String> parameters) {
        List<String> sentences = new ArrayList<>();
        if (is(parameters, MODE, "0") && Integer.parseInt(parameters.getOrDefault(INTER_OP, "0")) > 1) {
            sentences.add("parameter '" + INTER_OP + "' of " + parameters.get(INTER_OP) + " has no effect without "
                    + MODE + " 1: a run's operators follow one another");
        }
        if (is(parameters, ARENA, "0") && OrtRuntime.isLimited()) {
            sentences.add(
                    "parameter '" + ARENA + "' of 0 has no effect: memory is limited, by one arena for all models");
        }
        return sentences;
    }
}
