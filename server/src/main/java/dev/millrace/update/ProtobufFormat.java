// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// Values that are messages of Protocol Buffers. A field that can be absent and is, is null; one that
/// cannot be has its default. Threads: one.
final class ProtobufFormat implements MessageFormat {
    private static final int NANOS_PER_MICRO = 1_000;
    private static final String TIMESTAMP = "google.protobuf.Timestamp";
    private static final Set<String> WRAPPERS = Set.of(
            "google.protobuf.DoubleValue",
            "google.protobuf.FloatValue",
            "google.protobuf.Int64Value",
            "google.protobuf.UInt64Value",
            "google.protobuf.Int32Value",
            "google.protobuf.UInt32Value",
            "google.protobuf.BoolValue",
            "google.protobuf.StringValue");

    private final Descriptor type;
    private final boolean indexed;

    private ProtobufFormat(Descriptor type, boolean indexed) {
        this.type = type;
        this.indexed = indexed;
    }

    /// @param indexed whether values begin with which message of its file it is, as Confluent's
    ///     serializers write behind the number of the schema
    static ProtobufFormat read(Path file, String message, boolean indexed) throws IOException {
        Map<String, FileDescriptorProto> files = new LinkedHashMap<>();
        try {
            FileDescriptorSet.parseFrom(Files.readAllBytes(file))
                    .getFileList()
                    .forEach(each -> files.put(each.getName(), each));
            Map<String, FileDescriptor> built = new HashMap<>();
            for (String name : files.keySet()) {
                Descriptor type = find(build(name, files, built), message);
                if (type != null) {
                    return new ProtobufFormat(type, indexed);
                }
            }
        } catch (InvalidProtocolBufferException | DescriptorValidationException | IllegalArgumentException e) {
            throw new IOException(
                    file + ": " + e.getMessage()
                            + ", expected a set of descriptors, as protoc writes with --descriptor_set_out and"
                            + " --include_imports",
                    e);
        }
        throw new IOException(file + " has no message '" + message + "', but the files " + files.keySet());
    }

    private static FileDescriptor build(
            String name, Map<String, FileDescriptorProto> files, Map<String, FileDescriptor> built)
            throws DescriptorValidationException {
        if (built.containsKey(name)) {
            FileDescriptor known = built.get(name);
            if (known == null) {
                throw new IllegalArgumentException("'" + name + "' imports itself");
            }
            return known;
        }
        FileDescriptorProto file = files.get(name);
        if (file == null) {
            throw new IllegalArgumentException("'" + name + "' is imported and not there");
        }
        built.put(name, null);
        FileDescriptor[] imports = new FileDescriptor[file.getDependencyCount()];
        for (int i = 0; i < imports.length; i++) {
            imports[i] = build(file.getDependency(i), files, built);
        }
        FileDescriptor descriptor = FileDescriptor.buildFrom(file, imports);
        built.put(name, descriptor);
        return descriptor;
    }

    private static Descriptor find(FileDescriptor file, String message) {
        String prefix = file.getPackage().isEmpty() ? "" : file.getPackage() + ".";
        if (!message.startsWith(prefix)) {
            return null;
        }
        String[] names = message.substring(prefix.length()).split("\\.");
        Descriptor type = file.findMessageTypeByName(names[0]);
        for (int i = 1; i < names.length && type != null; i++) {
            type = type.findNestedTypeByName(names[i]);
        }
        return type;
    }

    @Override
    public Message decode(ByteBuffer bytes) {
        try {
            if (indexed) {
                skipIndexes(bytes);
            }
            DynamicMessage message = DynamicMessage.parseFrom(type, CodedInputStream.newInstance(bytes));
            return column -> value(message, column);
        } catch (IOException e) {
            throw new MessageException("the value is no " + type.getFullName() + ": " + e.getMessage());
        }
    }

    /// How many numbers follow, and these: the way to the message within its file.
    private static void skipIndexes(ByteBuffer bytes) throws IOException {
        CodedInputStream input = CodedInputStream.newInstance(bytes.duplicate());
        int count = input.readSInt32();
        for (int i = 0; i < count; i++) {
            input.readSInt32();
        }
        bytes.position(bytes.position() + input.getTotalBytesRead());
    }

    private static Object value(MessageOrBuilder message, String[] column) {
        Object value = message;
        FieldDescriptor field = null;
        for (String name : column) {
            // Columns were checked: what has an inner one is a message.
            MessageOrBuilder around = (MessageOrBuilder) value;
            field = around.getDescriptorForType().findFieldByName(name);
            if (field.hasPresence() && !around.hasField(field)) {
                return null;
            }
            value = around.getField(field);
        }
        return plain(field, value, column);
    }

    private static Object plain(FieldDescriptor field, Object value, String[] column) {
        return switch (value) {
            case String text -> text;
            case Integer number -> isUnsigned(field) ? Integer.toUnsignedLong(number) : number.longValue();
            case Long number
            when number < 0 && isUnsigned(field) ->
                throw new MessageException(String.join(".", column) + " is " + Long.toUnsignedString(number)
                        + ", expected at most " + Long.MAX_VALUE);
            case Long number -> number;
            case Float number -> number.doubleValue();
            case Double number -> number;
            case Boolean truth -> truth;
            case EnumValueDescriptor constant -> constant.getName();
            case MessageOrBuilder inner -> message(inner, column);
            default ->
                throw new MessageException(
                        String.join(".", column) + " is of type " + typeName(field) + ", expected a single value");
        };
    }

    private static Object message(MessageOrBuilder inner, String[] column) {
        Descriptor type = inner.getDescriptorForType();
        if (type.getFullName().equals(TIMESTAMP)) {
            long seconds = (Long) inner.getField(type.findFieldByNumber(1));
            int nanos = (Integer) inner.getField(type.findFieldByNumber(2));
            return new Moment(Values.micros(EpochUnit.SECONDS, seconds) + Math.floorDiv(nanos, NANOS_PER_MICRO));
        }
        FieldDescriptor only = type.findFieldByNumber(1);
        return plain(only, inner.getField(only), column);
    }

    private static boolean isUnsigned(FieldDescriptor field) {
        return switch (field.getType()) {
            case UINT32, UINT64, FIXED32, FIXED64 -> true;
            default -> false;
        };
    }

    private static String typeName(FieldDescriptor field) {
        return (field.isRepeated() ? "repeated " : "") + field.getType().name().toLowerCase(java.util.Locale.ROOT);
    }

    @Override
    public void requireColumn(String column) {
        Descriptor around = type;
        FieldDescriptor field = null;
        for (String name : column.split("\\.")) {
            if (around == null) {
                throw new IllegalArgumentException("'" + column + "': there is no message around '" + name + "'");
            }
            field = around.findFieldByName(name);
            if (field == null) {
                throw new IllegalArgumentException("'" + column + "': " + around.getFullName() + " has no '" + name
                        + "', but "
                        + around.getFields().stream()
                                .map(FieldDescriptor::getName)
                                .toList());
            }
            boolean single = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !field.isRepeated();
            around = single ? field.getMessageType() : null;
        }
        boolean plain =
                around == null || around.getFullName().equals(TIMESTAMP) || WRAPPERS.contains(around.getFullName());
        if (!plain || field.isRepeated() || field.getType() == FieldDescriptor.Type.BYTES) {
            throw new IllegalArgumentException(
                    "'" + column + "' is of type " + typeName(field) + ", expected a single value");
        }
    }
}
