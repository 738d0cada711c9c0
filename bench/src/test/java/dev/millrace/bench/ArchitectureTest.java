// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.classfile.Attributes;
import java.lang.classfile.ClassModel;
import java.lang.classfile.attribute.InnerClassInfo;
import java.lang.classfile.attribute.InnerClassesAttribute;
import java.lang.management.ManagementFactory;
import java.lang.reflect.AccessFlag;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// The structure of all modules, read from their byte code: who may know whom, and what is public.
class ArchitectureTest {
    private static final CompiledClasses CLASSES = CompiledClasses.ofAllModules();

    /// Each package with the packages of the project that it may know, lowest first. A new package is added here.
    private static final Map<String, Set<String>> ARROWS = Map.ofEntries(
            Map.entry("memory", Set.of()),
            Map.entry("ort", Set.of("memory")),
            Map.entry("yaml", Set.of()),
            Map.entry("model", Set.of("memory", "ort", "yaml")),
            Map.entry("spec", Set.of("yaml")),
            Map.entry("version", Set.of("memory", "ort", "model", "spec")),
            Map.entry("onnx", Set.of("ort")),
            Map.entry("inspect", Set.of("model", "onnx")),
            Map.entry("dataset", Set.of("memory", "model", "version")),
            Map.entry("table", Set.of("dataset")),
            Map.entry("compare", Set.of("memory", "ort", "model", "onnx", "inspect", "dataset")),
            Map.entry("quantize", Set.of("memory", "ort", "onnx", "dataset")),
            Map.entry("trees", Set.of("onnx")),
            Map.entry("preprocess", Set.of("onnx", "spec")),
            Map.entry("convert", Set.of("memory", "ort", "onnx")),
            Map.entry("zoo", Set.of("memory", "ort", "model", "zoo.payments")),
            Map.entry("zoo.digits", Set.of("onnx")),
            Map.entry("zoo.payments", Set.of("memory", "ort", "model")),
            Map.entry("monitor", Set.of("memory")),
            Map.entry("policy", Set.of("memory")),
            Map.entry("backend", Set.of("memory", "ort", "model")),
            Map.entry("cache", Set.of("memory", "backend")),
            Map.entry("store", Set.of("memory")),
            Map.entry("ensemble", Set.of("memory", "model", "backend")),
            Map.entry("features", Set.of("memory", "spec", "store")),
            Map.entry("remote", Set.of("memory", "spec", "store", "features")),
            Map.entry("raw", Set.of("memory", "model", "version", "spec", "features", "remote")),
            Map.entry("fit", Set.of("yaml", "spec", "features")),
            Map.entry("history", Set.of("memory", "spec", "dataset", "table", "features")),
            Map.entry("plan", Set.of("memory", "model", "backend", "policy", "raw")),
            Map.entry("lifecycle", Set.of("memory", "model", "version")),
            Map.entry(
                    "runtime",
                    Set.of(
                            "memory",
                            "ort",
                            "model",
                            "monitor",
                            "policy",
                            "backend",
                            "cache",
                            "ensemble",
                            "plan",
                            "lifecycle",
                            "spec",
                            "store",
                            "features",
                            "remote",
                            "raw",
                            "version")),
            Map.entry("json", Set.of("memory")),
            Map.entry("settings", Set.of("yaml")),
            Map.entry("update", Set.of("json", "yaml", "settings", "store")),
            Map.entry("load", Set.of("json")),
            Map.entry("conformance", Set.of("json")),
            Map.entry(
                    "tool",
                    Set.of(
                            "json",
                            "ort",
                            "model",
                            "version",
                            "onnx",
                            "inspect",
                            "dataset",
                            "compare",
                            "quantize",
                            "trees",
                            "convert",
                            "store",
                            "transform")),
            Map.entry(
                    "transform",
                    Set.of(
                            "memory",
                            "json",
                            "onnx",
                            "dataset",
                            "table",
                            "spec",
                            "preprocess",
                            "features",
                            "store",
                            "fit",
                            "history")),
            Map.entry("score", Set.of("memory", "model", "onnx", "dataset", "table", "store", "runtime")),
            Map.entry("limit", Set.of("memory")),
            Map.entry("trace", Set.of("memory", "model", "json", "monitor", "runtime")),
            Map.entry("manage", Set.of("memory", "model", "monitor", "lifecycle", "runtime", "json", "trace")),
            Map.entry("control", Set.of("memory", "ort", "model", "lifecycle", "runtime", "limit", "manage")),
            Map.entry(
                    "metrics",
                    Set.of(
                            "memory",
                            "redis",
                            "monitor",
                            "lifecycle",
                            "features",
                            "raw",
                            "runtime",
                            "cache",
                            "manage",
                            "update")),
            Map.entry("protocol", Set.of("memory", "model", "lifecycle", "raw", "runtime", "json", "limit")),
            Map.entry("loop", Set.of("memory", "model", "raw", "runtime", "protocol", "trace")),
            Map.entry("grpc.message", Set.of()),
            Map.entry(
                    "grpc",
                    Set.of(
                            "memory",
                            "model",
                            "runtime",
                            "limit",
                            "manage",
                            "control",
                            "protocol",
                            "online",
                            "loop",
                            "trace",
                            "grpc.message")),
            Map.entry(
                    "server",
                    Set.of(
                            "memory",
                            "redis",
                            "model",
                            "monitor",
                            "runtime",
                            "json",
                            "limit",
                            "manage",
                            "control",
                            "metrics",
                            "trace",
                            "protocol",
                            "online",
                            "update",
                            "loop",
                            "grpc")),
            Map.entry("feast", Set.of("features", "yaml")),
            Map.entry("redis", Set.of("yaml", "features", "spec", "policy", "remote", "feast", "settings")),
            Map.entry(
                    "online",
                    Set.of("memory", "json", "protocol", "raw", "runtime", "spec", "store", "feast", "redis")),
            Map.entry(
                    "cli",
                    Set.of(
                            "memory",
                            "ort",
                            "version",
                            "store",
                            "redis",
                            "remote",
                            "runtime",
                            "limit",
                            "load",
                            "conformance",
                            "tool",
                            "score",
                            "manage",
                            "control",
                            "yaml",
                            "settings",
                            "update",
                            "server")),
            Map.entry("bench.model", Set.of("memory")),
            Map.entry("bench.report", Set.of("ort")),
            Map.entry("bench.route", Set.of("memory", "ort", "model", "runtime", "bench.model")),
            Map.entry("bench.decode", Set.of("json", "bench.report")),
            Map.entry("bench.ramp", Set.of("memory", "model", "runtime", "bench.model", "bench.report", "bench.route")),
            Map.entry(
                    "bench.promise",
                    Set.of("memory", "model", "runtime", "bench.model", "bench.report", "bench.route")),
            Map.entry(
                    "bench.guard",
                    Set.of(
                            "memory",
                            "model",
                            "runtime",
                            "bench.model",
                            "bench.promise",
                            "bench.report",
                            "bench.route")),
            Map.entry(
                    "bench.soak",
                    Set.of(
                            "bench.model",
                            "bench.report",
                            "bench.route",
                            "lifecycle",
                            "limit",
                            "memory",
                            "model",
                            "runtime",
                            "server")),
            Map.entry(
                    "bench.wire",
                    Set.of(
                            "memory",
                            "grpc.message",
                            "cli",
                            "bench.decode",
                            "bench.model",
                            "bench.promise",
                            "bench.report",
                            "bench.route")),
            Map.entry("bench.transform", Set.of("dataset", "table", "bench.report")),
            Map.entry("bench.online", Set.of("feast", "bench.promise", "bench.report")),
            Map.entry("bench.store", Set.of("store", "bench.report")),
            Map.entry(
                    "bench.features",
                    Set.of("memory", "ort", "onnx", "spec", "preprocess", "store", "features", "bench.report")),
            Map.entry("bench.swap", Set.of("memory", "runtime", "bench.model", "bench.promise", "bench.report")),
            Map.entry(
                    "bench",
                    Set.of(
                            "memory",
                            "ort",
                            "model",
                            "monitor",
                            "zoo",
                            "zoo.payments",
                            "runtime",
                            "json",
                            "load",
                            "limit",
                            "server",
                            "cli",
                            "bench.decode",
                            "bench.features",
                            "bench.guard",
                            "bench.model",
                            "bench.promise",
                            "bench.ramp",
                            "bench.report",
                            "bench.route",
                            "bench.online",
                            "bench.store",
                            "bench.swap",
                            "bench.transform",
                            "bench.wire")));

    /// Libraries with the packages of the project that may use them.
    private static final Map<String, Set<String>> LIBRARIES = Map.ofEntries(
            Map.entry("ai.onnxruntime", Set.of("ort", "bench", "zoo")),
            Map.entry("com.lmax.disruptor", Set.of("runtime", "bench")),
            Map.entry("io.netty", Set.of("load", "loop", "grpc", "redis", "server", "bench")),
            Map.entry("io.grpc", Set.of("grpc", "server", "bench")),
            Map.entry("com.google.protobuf", Set.of("grpc", "update", "feast", "zoo", "bench")),
            Map.entry("io.lettuce", Set.of("redis", "bench")),
            Map.entry("com.github.benmanes.caffeine", Set.of("redis")),
            Map.entry("org.apache.kafka", Set.of("update")),
            Map.entry("org.apache.avro", Set.of("update")),
            Map.entry("com.fasterxml.jackson", Set.of("bench", "zoo")),
            Map.entry("dev.hardwood", Set.of("dataset", "table")),
            Map.entry("picocli", Set.of("conformance", "load", "tool", "score", "transform", "cli", "bench")),
            Map.entry("io.micrometer", Set.of("metrics", "bench")),
            Map.entry("io.prometheus", Set.of("metrics", "bench")),
            Map.entry("ch.qos.logback", Set.of("cli", "manage", "bench")),
            Map.entry("ai.djl", Set.of("bench")),
            Map.entry("org.openjdk.jmh", Set.of("bench")),
            Map.entry("org.simdjson", Set.of("bench")),
            Map.entry("org.HdrHistogram", Set.of("monitor", "load", "bench")));

    /// Part of the benchmarks; in that package because it calls the C API by the same handles as the runners.
    private static final String FLOOR = "dev/millrace/ort/PreboundRun";

    @Test
    void shouldSeeTheClassesOfAllModules() {
        assertThat(CLASSES.find("dev/millrace/memory/Tensor")).isPresent();
        assertThat(CLASSES.find("dev/millrace/ort/OrtApi")).isPresent();
        assertThat(CLASSES.find("dev/millrace/model/OnnxModel")).isPresent();
        assertThat(CLASSES.find("dev/millrace/runtime/Lane")).isPresent();
        assertThat(CLASSES.find("dev/millrace/bench/ArchitectureTest")).isEmpty();
    }

    @Test
    void shouldOnlyKnowPackagesBelow() {
        List<String> wrong = new ArrayList<>();
        for (ClassModel type : CLASSES.all()) {
            String from = own(type.thisClass().asInternalName());
            Set<String> allowed = ARROWS.get(from);
            if (allowed == null) {
                wrong.add("package dev.millrace." + from + " is not in the table of arrows");
                continue;
            }
            for (String name : CompiledClasses.references(type)) {
                String to = own(name);
                if (to != null && !to.equals(from) && !allowed.contains(to)) {
                    wrong.add(type.thisClass().asInternalName() + " uses " + name);
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void shouldKeepArrowsWithoutCycles() {
        TreeSet<String> left = new TreeSet<>(ARROWS.keySet());
        boolean removed = true;
        while (removed) {
            removed = left.removeIf(name -> ARROWS.get(name).stream().noneMatch(left::contains));
        }
        assertThat(left).as("packages that are part of a cycle").isEmpty();
    }

    @Test
    void shouldUseLibrariesOnlyWhereTheyBelong() {
        List<String> wrong = new ArrayList<>();
        for (ClassModel type : CLASSES.all()) {
            String from = own(type.thisClass().asInternalName());
            for (String name : CompiledClasses.references(type)) {
                String dotted = name.replace('/', '.');
                LIBRARIES.forEach((library, users) -> {
                    if (dotted.startsWith(library + ".") && !users.contains(from.replaceAll("\\..*", ""))) {
                        wrong.add(type.thisClass().asInternalName() + " uses " + dotted);
                    }
                });
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void shouldShowNoTypeOfOnnxRuntimeToOtherPackages() {
        List<String> wrong = new ArrayList<>();
        int seen = 0;
        for (ClassModel type : CLASSES.all()) {
            String name = type.thisClass().asInternalName();
            if (own(name).equals("ort") && isVisible(type) && !name.equals(FLOOR)) {
                seen++;
                shownTypes(type).stream()
                        .filter(shown -> shown.startsWith("ai/onnxruntime/"))
                        .forEach(shown -> wrong.add(name + " shows " + shown));
            }
        }
        assertThat(seen).isGreaterThan(5);
        assertThat(wrong).isEmpty();
    }

    /// An embedder's vocabulary is public, what works behind it is not: 12 of 26 types when this was written.
    @Test
    void shouldKeepMostOfTheRuntimePackagePrivate() {
        TreeSet<String> open = new TreeSet<>();
        TreeSet<String> all = new TreeSet<>();
        for (ClassModel type : topLevel("runtime")) {
            String name = CompiledClasses.simpleName(type.thisClass().asInternalName());
            all.add(name);
            if (type.flags().has(AccessFlag.PUBLIC)) {
                open.add(name);
            }
        }
        assertThat(100.0 * open.size() / all.size())
                .as("%d of %d types of the runtime are public: %s", open.size(), all.size(), open)
                .isLessThanOrEqualTo(50);
    }

    @Test
    void shouldKeepPackagesSmall() {
        Map<String, Integer> sizes = new TreeMap<>();
        for (String name : ARROWS.keySet()) {
            sizes.put(name, topLevel(name).size());
        }
        assertThat(sizes).allSatisfy((_, size) -> assertThat(size).isLessThanOrEqualTo(30));
    }

    @Test
    void shouldNotUseInternalsOfTheJdk() {
        List<String> wrong = new ArrayList<>();
        for (ClassModel type : CLASSES.all()) {
            for (String name : CompiledClasses.references(type)) {
                // com.sun.management is exported and documented, its name notwithstanding
                if (name.matches("(sun|com/sun(?!/management/)|jdk/internal)/.*")) {
                    wrong.add(type.thisClass().asInternalName() + " uses " + name);
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void shouldRunWithoutOpeningTheJdk() {
        assertThat(ManagementFactory.getRuntimeMXBean().getInputArguments())
                .noneMatch(argument -> argument.startsWith("--add-opens") || argument.startsWith("--add-exports"));
    }

    @Test
    void shouldFindReferencesInCodeSignaturesAndAnnotations() {
        ClassModel type =
                CompiledClasses.of(HotSamples.Wrong.class).all().iterator().next();

        assertThat(CompiledClasses.references(type))
                .contains("java/lang/IllegalStateException", "java/util/function/Supplier", "dev/millrace/memory/Hot");
    }

    private static List<ClassModel> topLevel(String ownPackage) {
        return CLASSES.all().stream()
                .filter(type -> ownPackage.equals(own(type.thisClass().asInternalName())))
                .filter(type -> !type.thisClass().asInternalName().contains("$"))
                .toList();
    }

    /// The package within the project, as in the table of arrows; null for a class that is not the project's.
    private static String own(String internalName) {
        String name = CompiledClasses.packageName(internalName);
        return name.startsWith("dev.millrace.") ? name.substring("dev.millrace.".length()) : null;
    }

    /// Whether other packages can name it: it is public, and so are the types around it.
    private static boolean isVisible(ClassModel type) {
        if (!type.thisClass().asInternalName().contains("$")) {
            return type.flags().has(AccessFlag.PUBLIC);
        }
        return type.findAttribute(Attributes.innerClasses()).stream()
                .map(InnerClassesAttribute::classes)
                .flatMap(List::stream)
                .filter(inner -> inner.innerClass().equals(type.thisClass()))
                .anyMatch(ArchitectureTest::isVisible);
    }

    private static boolean isVisible(InnerClassInfo inner) {
        return inner.has(AccessFlag.PUBLIC)
                && inner.outerClass()
                        .flatMap(outer -> CLASSES.find(outer.asInternalName()))
                        .filter(ArchitectureTest::isVisible)
                        .isPresent();
    }

    /// The types in what a visible class shows: supertypes, and public and protected members with what they throw.
    private static TreeSet<String> shownTypes(ClassModel type) {
        TreeSet<String> shown = new TreeSet<>();
        type.superclass().ifPresent(above -> shown.add(above.asInternalName()));
        type.interfaces().forEach(above -> shown.add(above.asInternalName()));
        type.findAttribute(Attributes.signature())
                .ifPresent(signature ->
                        CompiledClasses.addTypes(signature.signature().stringValue(), shown));
        for (var method : type.methods()) {
            if (method.flags().has(AccessFlag.PUBLIC) || method.flags().has(AccessFlag.PROTECTED)) {
                CompiledClasses.addTypes(method.methodType().stringValue(), shown);
                method.findAttribute(Attributes.signature())
                        .ifPresent(signature ->
                                CompiledClasses.addTypes(signature.signature().stringValue(), shown));
                method.findAttribute(Attributes.exceptions())
                        .ifPresent(thrown -> thrown.exceptions().forEach(e -> shown.add(e.asInternalName())));
            }
        }
        for (var field : type.fields()) {
            if (field.flags().has(AccessFlag.PUBLIC) || field.flags().has(AccessFlag.PROTECTED)) {
                CompiledClasses.addTypes(field.fieldType().stringValue(), shown);
                field.findAttribute(Attributes.signature())
                        .ifPresent(signature ->
                                CompiledClasses.addTypes(signature.signature().stringValue(), shown));
            }
        }
        return shown;
    }
}
