// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The project's compiled classes, parsed, by internal name (`dev/millrace/memory/Tensor`).
final class CompiledClasses {
    static final String ROOT = "dev/millrace";

    private static final Pattern TYPE_IN_DESCRIPTOR = Pattern.compile("L([\\w$]+(?:/[\\w$]+)+)[;<]");

    private final Map<String, ClassModel> models = new TreeMap<>();

    /// The main classes of every module on the class path, from folders or jars; without those that JMH generates.
    static CompiledClasses ofAllModules() {
        CompiledClasses classes = new CompiledClasses();
        try {
            for (URL root : java.util.Collections.list(
                    CompiledClasses.class.getClassLoader().getResources(ROOT))) {
                if (!root.toString().contains("/test-classes/")) {
                    classes.addAll(root.toURI());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
        return classes;
    }

    /// These classes and their nested ones.
    static CompiledClasses of(Class<?>... types) {
        CompiledClasses classes = new CompiledClasses();
        for (Class<?> type : types) {
            String file = "/" + type.getName().replace('.', '/') + ".class";
            try (var in = type.getResourceAsStream(file)) {
                classes.add(in.readAllBytes());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return classes;
    }

    private void addAll(URI root) throws IOException {
        if (root.getScheme().equals("jar")) {
            try (FileSystem jar = FileSystems.newFileSystem(root, Map.of())) {
                addAll(jar.getPath(ROOT));
            }
        } else {
            addAll(Path.of(root));
        }
    }

    private void addAll(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.toString();
                if (name.endsWith(".class") && !name.contains("jmh_generated") && !name.endsWith("-info.class")) {
                    add(Files.readAllBytes(file));
                }
            }
        }
    }

    private void add(byte[] bytes) {
        ClassModel model = ClassFile.of().parse(bytes);
        models.put(model.thisClass().asInternalName(), model);
    }

    Collection<ClassModel> all() {
        return models.values();
    }

    Optional<ClassModel> find(String internalName) {
        return Optional.ofNullable(models.get(internalName));
    }

    /// The method that a call of `name` on `owner` resolves to, if one of these classes declares it.
    Optional<Method> resolve(String owner, String name, String descriptor) {
        ClassModel model = models.get(owner);
        if (model == null) {
            return Optional.empty();
        }
        Optional<MethodModel> own = declared(model, name, descriptor);
        if (own.isPresent()) {
            return Optional.of(new Method(model, own.get()));
        }
        return supertypes(model).stream()
                .map(supertype -> resolve(supertype, name, descriptor))
                .flatMap(Optional::stream)
                .findFirst();
    }

    /// The methods that this one overrides or implements, of these classes.
    List<Method> overridden(Method method) {
        List<Method> found = new ArrayList<>();
        for (String supertype : supertypes(method.owner())) {
            ClassModel model = models.get(supertype);
            if (model != null) {
                declared(model, method.name(), method.descriptor())
                        .map(declared -> new Method(model, declared))
                        .ifPresent(above -> {
                            found.add(above);
                            found.addAll(overridden(above));
                        });
            }
        }
        return found;
    }

    private static List<String> supertypes(ClassModel model) {
        List<String> names = new ArrayList<>();
        model.superclass().map(ClassEntry::asInternalName).ifPresent(names::add);
        model.interfaces().forEach(type -> names.add(type.asInternalName()));
        return names;
    }

    private static Optional<MethodModel> declared(ClassModel model, String name, String descriptor) {
        return model.methods().stream()
                .filter(method -> method.methodName().equalsString(name)
                        && method.methodType().equalsString(descriptor))
                .findFirst();
    }

    /// A method and the class that declares it.
    record Method(ClassModel owner, MethodModel model) {
        String name() {
            return model.methodName().stringValue();
        }

        String descriptor() {
            return model.methodType().stringValue();
        }

        /// As in the sources: `Tensor.reshape`.
        String shortName() {
            return simpleName(owner.thisClass().asInternalName()) + "." + name();
        }
    }

    /// `Tensor` for `dev/millrace/memory/Tensor`, `Outer.Inner` for a nested class.
    static String simpleName(String internalName) {
        return internalName.substring(internalName.lastIndexOf('/') + 1).replace('$', '.');
    }

    /// `dev.millrace.memory` for `dev/millrace/memory/Tensor`.
    static String packageName(String internalName) {
        int end = internalName.lastIndexOf('/');
        return end < 0 ? "" : internalName.substring(0, end).replace('/', '.');
    }

    /// Every class that this one names: in code, signatures, annotations.
    static TreeSet<String> references(ClassModel model) {
        TreeSet<String> names = new TreeSet<>();
        for (PoolEntry entry : model.constantPool()) {
            if (entry instanceof ClassEntry type) {
                String name = type.asInternalName();
                if (!name.startsWith("[")) {
                    names.add(name);
                }
            } else if (entry instanceof Utf8Entry text) {
                addTypes(text.stringValue(), names);
            }
        }
        return names;
    }

    static void addTypes(String descriptor, TreeSet<String> names) {
        Matcher matcher = TYPE_IN_DESCRIPTOR.matcher(descriptor);
        while (matcher.find()) {
            names.add(matcher.group(1));
        }
    }
}
