// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.CompiledClasses.Method;
import java.lang.classfile.AccessFlags;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeModel;
import java.lang.classfile.Instruction;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LoadInstruction;
import java.lang.classfile.instruction.MonitorInstruction;
import java.lang.classfile.instruction.NewMultiArrayInstruction;
import java.lang.classfile.instruction.NewObjectInstruction;
import java.lang.classfile.instruction.NewPrimitiveArrayInstruction;
import java.lang.classfile.instruction.NewReferenceArrayInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.classfile.instruction.ThrowInstruction;
import java.lang.reflect.AccessFlag;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// What a method marked `@Hot` must not do, checked in its byte code.
///
/// It may call methods that are marked, methods that only return or set a field, and the cold exits it is given. What
/// builds an exception that is thrown at once is free: a failing request has left the hot path.
final class HotRules {
    private static final String HOT = "Ldev/millrace/memory/Hot;";
    private static final Set<String> BOXES = Set.of(
            "java/lang/Boolean",
            "java/lang/Byte",
            "java/lang/Character",
            "java/lang/Short",
            "java/lang/Integer",
            "java/lang/Long",
            "java/lang/Float",
            "java/lang/Double");
    private static final Pattern MAP = Pattern.compile("java/util/(concurrent/)?\\w*Map");
    /// Methods of the JDK that allocate, `owner.name`.
    private static final Set<String> ALLOCATING = Set.of(
            "java/lang/String.format",
            "java/lang/String.formatted",
            "java/lang/String.valueOf",
            "java/lang/String.concat",
            "java/lang/String.substring",
            "java/lang/foreign/MemorySegment.asSlice",
            "java/lang/foreign/MemorySegment.asByteBuffer",
            "java/lang/foreign/MemorySegment.reinterpret",
            "java/lang/foreign/MemorySegment.ofAddress",
            "java/util/Arrays.copyOf",
            "java/util/Arrays.copyOfRange",
            "java/util/Arrays.asList",
            "java/util/Arrays.stream",
            "java/util/List.of",
            "java/util/List.copyOf",
            "java/util/Optional.of",
            "java/util/Optional.ofNullable");

    private final CompiledClasses classes;
    private final Map<String, String> coldExits;
    private final TreeSet<String> usedExits = new TreeSet<>();
    private final List<String> violations = new ArrayList<>();
    private int methods;

    /// @param coldExits `Type.method` and why a hot method may call it
    HotRules(CompiledClasses classes, Map<String, String> coldExits) {
        this.classes = classes;
        this.coldExits = coldExits;
    }

    /// Walks every marked method; returns what is wrong, `Type.method@offset: what`.
    List<String> check() {
        for (ClassModel owner : classes.all()) {
            for (MethodModel model : owner.methods()) {
                Method method = new Method(owner, model);
                if (isHot(model)) {
                    methods++;
                    checkMethod(method);
                } else {
                    checkOverriding(method);
                }
            }
        }
        return violations;
    }

    int methods() {
        return methods;
    }

    /// The cold exits that no hot method calls.
    Set<String> unusedExits() {
        TreeSet<String> unused = new TreeSet<>(coldExits.keySet());
        unused.removeAll(usedExits);
        return unused;
    }

    static boolean isHot(MethodModel method) {
        return method.findAttribute(Attributes.runtimeInvisibleAnnotations()).stream()
                .flatMap(attribute -> attribute.annotations().stream())
                .anyMatch(annotation -> annotation.className().equalsString(HOT));
    }

    private void checkOverriding(Method method) {
        if (method.model().flags().has(AccessFlag.SYNTHETIC) || coldExits.containsKey(method.shortName())) {
            usedExits.add(method.shortName());
            return;
        }
        for (Method above : classes.overridden(method)) {
            if (isHot(above.model()) && !method.name().equals("<init>")) {
                report(method, 0, "implements " + above.shortName() + ", which is @Hot, and is not itself");
            }
        }
    }

    private void checkMethod(Method method) {
        AccessFlags flags = method.model().flags();
        if (flags.has(AccessFlag.SYNCHRONIZED)) {
            report(method, 0, "is synchronized");
        }
        method.model().code().ifPresent(code -> checkCode(method, code));
    }

    private void checkCode(Method method, CodeModel code) {
        List<Instruction> instructions = code.elementStream()
                .filter(Instruction.class::isInstance)
                .map(Instruction.class::cast)
                .toList();
        int offset = 0;
        for (int i = 0; i < instructions.size(); i++) {
            Instruction instruction = instructions.get(i);
            int thrown = instruction instanceof NewObjectInstruction created ? thrownAt(instructions, i, created) : -1;
            if (thrown >= 0) {
                for (; i < thrown; i++) {
                    offset += instructions.get(i).sizeInBytes();
                }
            } else if (!isFollowedByThrow(instructions, i)) {
                String wrong = wrong(instruction);
                if (wrong != null) {
                    report(method, offset, wrong);
                }
            }
            offset += instructions.get(i).sizeInBytes();
        }
    }

    /// Where the exception created at `start` is thrown, at once after its constructor; -1 if it is none or is not.
    private static int thrownAt(List<Instruction> instructions, int start, NewObjectInstruction created) {
        String type = created.className().asInternalName();
        if (!isThrowable(type)) {
            return -1;
        }
        int nested = 0;
        for (int i = start + 1; i < instructions.size() - 1; i++) {
            Instruction instruction = instructions.get(i);
            if (instruction instanceof NewObjectInstruction other
                    && other.className().asInternalName().equals(type)) {
                nested++;
            } else if (instruction instanceof InvokeInstruction call
                    && call.opcode() == Opcode.INVOKESPECIAL
                    && call.name().equalsString("<init>")
                    && call.owner().asInternalName().equals(type)
                    && nested-- == 0) {
                return instructions.get(i + 1) instanceof ThrowInstruction ? i + 1 : -1;
            }
        }
        return -1;
    }

    private static boolean isThrowable(String internalName) {
        try {
            ClassLoader loader = HotRules.class.getClassLoader();
            return Throwable.class.isAssignableFrom(Class.forName(internalName.replace('/', '.'), false, loader));
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    /// A call whose result is thrown: it makes the exception.
    private static boolean isFollowedByThrow(List<Instruction> instructions, int index) {
        return instructions.get(index) instanceof InvokeInstruction
                && index + 1 < instructions.size()
                && instructions.get(index + 1) instanceof ThrowInstruction;
    }

    private String wrong(Instruction instruction) {
        return switch (instruction) {
            case NewObjectInstruction created ->
                "new " + CompiledClasses.simpleName(created.className().asInternalName());
            case NewPrimitiveArrayInstruction _ -> "new array";
            case NewReferenceArrayInstruction _ -> "new array";
            case NewMultiArrayInstruction _ -> "new array";
            case InvokeDynamicInstruction dynamic ->
                "invokedynamic " + dynamic.name().stringValue() + " (a lambda or string concatenation)";
            case MonitorInstruction monitor when monitor.opcode() == Opcode.MONITORENTER -> "takes a lock";
            case InvokeInstruction call -> wrongCall(call);
            default -> null;
        };
    }

    private String wrongCall(InvokeInstruction call) {
        String owner = call.owner().asInternalName();
        String name = call.name().stringValue();
        String shown = CompiledClasses.simpleName(owner) + "." + name;
        if (owner.startsWith(CompiledClasses.ROOT)) {
            return wrongOwnCall(owner, name, call.type().stringValue());
        }
        if (owner.startsWith("[") && name.equals("clone")) {
            return "copies an array";
        }
        if (BOXES.contains(owner) && name.equals("valueOf")) {
            return "boxes by " + shown;
        }
        if (ALLOCATING.contains(owner + "." + name) || name.equals("toString")) {
            return "calls " + shown + ", which allocates";
        }
        return wrongLibraryCall(owner, name, shown);
    }

    private static String wrongLibraryCall(String owner, String name, String shown) {
        if (owner.startsWith("java/util/stream/") || name.equals("stream")) {
            return "uses a stream: " + shown;
        }
        if (owner.startsWith("org/slf4j/")) {
            return "logs by " + shown;
        }
        if (MAP.matcher(owner).matches()) {
            return "uses a map: " + shown;
        }
        if (name.equals("iterator") || name.equals("listIterator") || name.equals("forEach")) {
            return "iterates over a collection: " + shown;
        }
        return owner.startsWith("java/util/concurrent/locks/") && name.startsWith("lock")
                ? "takes a lock: " + shown
                : null;
    }

    private String wrongOwnCall(String owner, String name, String descriptor) {
        Method callee = classes.resolve(owner, name, descriptor).orElse(null);
        if (callee == null) {
            return null; // inherited from the JDK, as an enum's ordinal()
        }
        String exit = callee.shortName();
        if (isHot(callee.model()) || isAccessor(callee.model())) {
            return null;
        }
        if (coldExits.containsKey(exit)) {
            usedExits.add(exit);
            return null;
        }
        return "calls " + exit + ", which is neither @Hot nor a listed cold exit";
    }

    /// Whether it only returns or sets a field.
    private static boolean isAccessor(MethodModel method) {
        List<Instruction> instructions = method.code().stream()
                .flatMap(CodeModel::elementStream)
                .filter(Instruction.class::isInstance)
                .map(Instruction.class::cast)
                .toList();
        return !instructions.isEmpty()
                && instructions.size() <= 4
                && instructions.stream()
                        .allMatch(instruction -> instruction instanceof LoadInstruction
                                || instruction instanceof ConstantInstruction
                                || instruction instanceof FieldInstruction
                                || instruction instanceof ReturnInstruction);
    }

    private void report(Method method, int offset, String what) {
        violations.add(method.shortName() + "@" + offset + ": " + what);
    }
}
