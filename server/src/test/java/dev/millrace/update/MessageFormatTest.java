// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumValueDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Label;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DoubleValue;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Timestamp;
import com.google.protobuf.TimestampProto;
import com.google.protobuf.WrappersProto;
import dev.millrace.update.FeedConfig.Format;
import dev.millrace.update.FeedConfig.Kind;
import dev.millrace.update.MessageFormat.Message;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The same values from each format, and what is no message of it.
class MessageFormatTest {
    private static final String AVRO = """
        {"type":"record","name":"Change","namespace":"test","fields":[
          {"name":"id","type":"string"},
          {"name":"amount","type":["null","double"]},
          {"name":"single","type":"float"},
          {"name":"count","type":"int"},
          {"name":"total","type":"long"},
          {"name":"active","type":"boolean"},
          {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["NEW","OLD"]}},
          {"name":"millis","type":{"type":"long","logicalType":"timestamp-millis"}},
          {"name":"micros","type":["null",{"type":"long","logicalType":"timestamp-micros"}]},
          {"name":"raw","type":"bytes"},
          {"name":"list","type":{"type":"array","items":"int"}},
          {"name":"inner","type":["null",{"type":"record","name":"Inner","fields":[
            {"name":"country","type":["null","string"]},{"name":"again","type":["null","Change"]}]}]}]}
        """;

    @TempDir
    Path temp;

    private static Object value(Message message, String column) {
        return message.value(column.split("\\."));
    }

    private static Message decode(MessageFormat format, byte[] bytes) {
        return format.decode(ByteBuffer.wrap(bytes));
    }

    private static byte[] utf8(String text) {
        return text.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void shouldReadJson() {
        Message message = decode(new JsonFormat(), utf8("""
            {'id':'a\\u00e9','n':3,'big':9223372036854775808,'x':1.5,'t':true,'none':null,'o':{'p':{'q':-1}},
             'list':[1,{'a':[]}],'not':NaN}\
            """));

        assertThat(value(message, "id")).isEqualTo("a\u00e9");
        assertThat(value(message, "n")).isEqualTo(3L);
        assertThat(value(message, "big")).isEqualTo(0x1p63);
        assertThat(value(message, "x")).isEqualTo(1.5);
        assertThat(value(message, "t")).isEqualTo(true);
        assertThat(value(message, "none")).isNull();
        assertThat(value(message, "none.deeper")).isNull();
        assertThat(value(message, "missing")).isNull();
        assertThat(value(message, "o.p.q")).isEqualTo(-1L);
        assertThat(value(message, "not")).isEqualTo(Double.NaN);
        assertThatThrownBy(() -> value(message, "o.p")).hasMessage("o.p is an object, expected a single value");
        assertThatThrownBy(() -> value(message, "list")).hasMessage("list is an array, expected a single value");
        assertThatThrownBy(() -> value(message, "id.x")).hasMessage("id is 'a\u00e9', expected an object");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "``           | the value is nothing, expected an object",
                "[1]          | the value is an array, expected an object",
                "{'a':1       | malformed JSON: line 1, column 7",
                "{'a':1} 2    | behind the object is 2, expected nothing",
                "{'a':1,'a':2}| a came twice",
                "{'a':1e999}  | expected what a double holds",
                "{'a':tru}    | malformed JSON",
            })
    void shouldSayWhatIsNoObjectInJson(String text, String reason) {
        assertThatThrownBy(() -> decode(new JsonFormat(), utf8(text)))
                .isInstanceOf(MessageException.class)
                .hasMessageContaining(reason);
    }

    private MessageFormat avro(boolean header) throws IOException {
        Path file = Files.writeString(temp.resolve("change.avsc"), AVRO);
        return MessageFormat.of(new Format(Kind.AVRO, Optional.of(file), Optional.empty(), header));
    }

    private static byte[] datum(boolean full) throws IOException {
        Schema schema = new Schema.Parser().parse(AVRO);
        GenericRecord record = new GenericData.Record(schema);
        record.put("id", "a\u00e9");
        record.put("amount", full ? 2.5 : null);
        record.put("single", 0.5f);
        record.put("count", -3);
        record.put("total", Long.MAX_VALUE);
        record.put("active", true);
        record.put("kind", new GenericData.EnumSymbol(schema.getField("kind").schema(), "OLD"));
        record.put("millis", 1_500L);
        record.put("micros", full ? 7L : null);
        record.put("raw", ByteBuffer.wrap(new byte[] {1}));
        record.put("list", java.util.List.of(1, 2));
        if (full) {
            GenericRecord inner = new GenericData.Record(
                    schema.getField("inner").schema().getTypes().get(1));
            inner.put("country", "CH");
            record.put("inner", inner);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
        new GenericDatumWriter<GenericRecord>(schema).write(record, encoder);
        encoder.flush();
        return bytes.toByteArray();
    }

    @Test
    void shouldReadAvro() throws IOException {
        Message message = decode(avro(false), datum(true));

        assertThat(value(message, "id")).isEqualTo("a\u00e9");
        assertThat(value(message, "amount")).isEqualTo(2.5);
        assertThat(value(message, "single")).isEqualTo(0.5);
        assertThat(value(message, "count")).isEqualTo(-3L);
        assertThat(value(message, "total")).isEqualTo(Long.MAX_VALUE);
        assertThat(value(message, "active")).isEqualTo(true);
        assertThat(value(message, "kind")).isEqualTo("OLD");
        assertThat(value(message, "millis")).isEqualTo(new Moment(1_500_000));
        assertThat(value(message, "micros")).isEqualTo(new Moment(7));
        assertThat(value(message, "inner.country")).isEqualTo("CH");
        assertThatThrownBy(() -> value(message, "raw")).hasMessageContaining("raw is of type bytes, expected");
        assertThatThrownBy(() -> value(message, "list")).hasMessageContaining("list is of type array, expected");
        assertThatThrownBy(() -> value(message, "inner")).hasMessageContaining("inner is of type record, expected");
    }

    @Test
    void shouldTakeWhatIsAbsentInAvroForNull() throws IOException {
        Message message = decode(avro(false), datum(false));

        assertThat(value(message, "amount")).isNull();
        assertThat(value(message, "micros")).isNull();
        assertThat(value(message, "inner.country")).isNull();
    }

    @Test
    void shouldPassOverTheHeaderOfConfluent() throws IOException {
        byte[] bare = datum(true);
        byte[] headed = new byte[bare.length + 5];
        headed[4] = 17;
        System.arraycopy(bare, 0, headed, 5, bare.length);
        MessageFormat format = avro(true);

        assertThat(value(decode(format, headed), "count")).isEqualTo(-3L);
        headed[0] = 1;
        assertThatThrownBy(() -> decode(format, headed))
                .hasMessageContaining("begins with 1, expected 0 and the number");
        assertThatThrownBy(() -> decode(format, new byte[4])).hasMessageContaining("has 4 bytes");
        assertThatThrownBy(() -> decode(format, new byte[0])).hasMessageContaining("has 0 bytes");
    }

    /// Whatever bytes come, they are a message or a dead letter.
    @Test
    void shouldSurviveEveryValueInAvro() throws IOException {
        MessageFormat format = avro(false);
        byte[] good = datum(true);
        SplittableRandom random = new SplittableRandom(42);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = Arrays.copyOf(good, random.nextInt(good.length + 8));
            for (int j = random.nextInt(4); j >= 0 && bytes.length > 0; j--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            try {
                decode(format, bytes);
            } catch (MessageException e) {
                assertThat(e.getMessage()).as("case %d", i).containsAnyOf("is no test.Change", "behind the datum");
            }
        }
        assertThatThrownBy(() -> decode(format, new byte[0])).isInstanceOf(MessageException.class);
        assertThatThrownBy(() -> decode(format, Arrays.copyOf(good, good.length + 1)))
                .hasMessageContaining("behind the datum");
        // A text that says to be 2 GiB long is not believed.
        assertThatThrownBy(() -> decode(format, new byte[] {-2, -1, -1, -1, 15, 1}))
                .isInstanceOf(MessageException.class);
    }

    @Test
    void shouldRefuseColumnsThatASchemaHasNot() throws IOException {
        MessageFormat format = avro(false);

        format.requireColumn("id");
        format.requireColumn("inner.country");
        format.requireColumn("inner.again.inner.country");
        assertThatThrownBy(() -> format.requireColumn("ids"))
                .hasMessageContaining("test.Change has no 'ids', but [id, amount,");
        assertThatThrownBy(() -> format.requireColumn("inner.land"))
                .hasMessageContaining("has no 'land', but [country,");
        assertThatThrownBy(() -> format.requireColumn("id.x")).hasMessageContaining("no record around 'x'");
    }

    @Test
    void shouldRefuseWhatIsNoSchema() throws IOException {
        Path file = temp.resolve("s");
        Format format = new Format(Kind.AVRO, Optional.of(file), Optional.empty(), false);

        assertThatThrownBy(() -> MessageFormat.of(format)).isInstanceOf(IOException.class);
        Files.writeString(file, "\"string\"");
        assertThatThrownBy(() -> MessageFormat.of(format))
                .hasMessageContaining("the schema of string, expected a record");
        Files.writeString(file, "{");
        assertThatThrownBy(() -> MessageFormat.of(format)).hasMessageContaining("expected a schema of Avro");
    }

    private static FieldDescriptorProto.Builder field(String name, int number, Type type) {
        return FieldDescriptorProto.newBuilder()
                .setName(name)
                .setNumber(number)
                .setType(type)
                .setLabel(Label.LABEL_OPTIONAL);
    }

    private static FileDescriptorProto file() {
        DescriptorProto inner = DescriptorProto.newBuilder()
                .setName("Inner")
                .addField(field("country", 1, Type.TYPE_STRING))
                .build();
        DescriptorProto change = DescriptorProto.newBuilder()
                .setName("Change")
                .addField(field("id", 1, Type.TYPE_STRING))
                .addField(field("plain", 2, Type.TYPE_INT32))
                .addField(field("maybe", 3, Type.TYPE_INT32)
                        .setProto3Optional(true)
                        .setOneofIndex(0))
                .addField(field("unsigned", 4, Type.TYPE_UINT32))
                .addField(field("large", 5, Type.TYPE_FIXED64))
                .addField(field("real", 6, Type.TYPE_FLOAT))
                .addField(field("kind", 7, Type.TYPE_ENUM).setTypeName(".test.Kind"))
                .addField(field("inner", 8, Type.TYPE_MESSAGE).setTypeName(".test.Change.Inner"))
                .addField(field("seen", 9, Type.TYPE_MESSAGE).setTypeName(".google.protobuf.Timestamp"))
                .addField(field("boxed", 10, Type.TYPE_MESSAGE).setTypeName(".google.protobuf.DoubleValue"))
                .addField(field("list", 11, Type.TYPE_INT32).setLabel(Label.LABEL_REPEATED))
                .addField(field("raw", 12, Type.TYPE_BYTES))
                .addOneofDecl(com.google.protobuf.DescriptorProtos.OneofDescriptorProto.newBuilder()
                        .setName("_maybe"))
                .addNestedType(inner)
                .build();
        return FileDescriptorProto.newBuilder()
                .setName("change.proto")
                .setPackage("test")
                .setSyntax("proto3")
                .addDependency("google/protobuf/timestamp.proto")
                .addDependency("google/protobuf/wrappers.proto")
                .addMessageType(change)
                .addEnumType(EnumDescriptorProto.newBuilder()
                        .setName("Kind")
                        .addValue(EnumValueDescriptorProto.newBuilder()
                                .setName("NEW")
                                .setNumber(0))
                        .addValue(EnumValueDescriptorProto.newBuilder()
                                .setName("OLD")
                                .setNumber(1)))
                .build();
    }

    private Format protobuf(String message, boolean header) throws IOException {
        FileDescriptorSet set = FileDescriptorSet.newBuilder()
                .addFile(file())
                .addFile(TimestampProto.getDescriptor().toProto())
                .addFile(WrappersProto.getDescriptor().toProto())
                .build();
        Path path = Files.write(temp.resolve("change.binpb"), set.toByteArray());
        return new Format(Kind.PROTOBUF, Optional.of(path), Optional.of(message), header);
    }

    private static Descriptor change() throws Exception {
        return FileDescriptor.buildFrom(
                        file(), new FileDescriptor[] {TimestampProto.getDescriptor(), WrappersProto.getDescriptor()})
                .findMessageTypeByName("Change");
    }

    private static byte[] message() throws Exception {
        Descriptor type = change();
        Descriptor inner = type.findNestedTypeByName("Inner");
        return DynamicMessage.newBuilder(type)
                .setField(type.findFieldByName("id"), "a\u00e9")
                .setField(type.findFieldByName("unsigned"), -1)
                .setField(type.findFieldByName("large"), -1L)
                .setField(type.findFieldByName("real"), 0.5f)
                .setField(
                        type.findFieldByName("kind"),
                        type.getFile().findEnumTypeByName("Kind").findValueByNumber(1))
                .setField(
                        type.findFieldByName("inner"),
                        DynamicMessage.newBuilder(inner)
                                .setField(inner.findFieldByName("country"), "CH")
                                .build())
                .setField(
                        type.findFieldByName("seen"),
                        Timestamp.newBuilder().setSeconds(-1).setNanos(500_000).build())
                .setField(type.findFieldByName("boxed"), DoubleValue.of(2.5))
                .build()
                .toByteArray();
    }

    @Test
    void shouldReadProtocolBuffers() throws Exception {
        Message message = decode(MessageFormat.of(protobuf("test.Change", false)), message());

        assertThat(value(message, "id")).isEqualTo("a\u00e9");
        assertThat(value(message, "plain")).isEqualTo(0L);
        assertThat(value(message, "maybe")).isNull();
        assertThat(value(message, "unsigned")).isEqualTo(0xFFFF_FFFFL);
        assertThat(value(message, "real")).isEqualTo(0.5);
        assertThat(value(message, "kind")).isEqualTo("OLD");
        assertThat(value(message, "inner.country")).isEqualTo("CH");
        assertThat(value(message, "seen")).isEqualTo(new Moment(-999_500));
        assertThat(value(message, "boxed")).isEqualTo(2.5);
        assertThatThrownBy(() -> value(message, "large"))
                .hasMessageContaining("large is 18446744073709551615, expected at most");
        Message empty = decode(MessageFormat.of(protobuf("test.Change", false)), new byte[0]);
        assertThat(value(empty, "inner.country")).isNull();
        assertThat(value(empty, "boxed")).isNull();
        assertThat(value(empty, "id")).isEqualTo("");
    }

    @ParameterizedTest
    @CsvSource({"0", "2 0", "4 2 0"})
    void shouldPassOverTheIndexesOfConfluent(String indexes) throws Exception {
        byte[] before = new byte[5];
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(before);
        for (String index : indexes.split(" ")) {
            bytes.write(Integer.parseInt(index));
        }
        bytes.write(message());

        Message message = decode(MessageFormat.of(protobuf("test.Change", true)), bytes.toByteArray());

        assertThat(value(message, "boxed")).isEqualTo(2.5);
    }

    @Test
    void shouldSayWhatIsNoMessage() throws Exception {
        MessageFormat format = MessageFormat.of(protobuf("test.Change", false));

        assertThatThrownBy(() -> decode(format, new byte[] {10, 100, 1}))
                .isInstanceOf(MessageException.class)
                .hasMessageContaining("the value is no test.Change: ");
        assertThatThrownBy(() -> decode(format, new byte[] {10, 1, -1})).isInstanceOf(MessageException.class);
    }

    @Test
    void shouldRefuseColumnsThatAMessageHasNot() throws Exception {
        MessageFormat format = MessageFormat.of(protobuf("test.Change", false));

        format.requireColumn("inner.country");
        format.requireColumn("seen");
        assertThatThrownBy(() -> format.requireColumn("land"))
                .hasMessageContaining("test.Change has no 'land', but [id,");
        assertThatThrownBy(() -> format.requireColumn("list")).hasMessageContaining("of type repeated int32");
        assertThatThrownBy(() -> format.requireColumn("raw")).hasMessageContaining("of type bytes");
        assertThatThrownBy(() -> format.requireColumn("inner")).hasMessageContaining("of type message");
        assertThatThrownBy(() -> format.requireColumn("id.x")).hasMessageContaining("no message around 'x'");
    }

    @Test
    void shouldRefuseWhatIsNoSetOfDescriptors() throws Exception {
        assertThat(MessageFormat.of(protobuf("test.Change.Inner", false))).isNotNull();
        assertThatThrownBy(() -> MessageFormat.of(protobuf("test.Other", false)))
                .hasMessageContaining("has no message 'test.Other'");
        Format format = protobuf("test.Change", false);
        FileDescriptorSet alone = FileDescriptorSet.newBuilder().addFile(file()).build();
        Files.write(format.file().orElseThrow(), alone.toByteArray());
        assertThatThrownBy(() -> MessageFormat.of(format))
                .hasMessageContaining("'google/protobuf/timestamp.proto' is imported and not there", "include_imports");
        Files.writeString(format.file().orElseThrow(), "syntax = \"proto3\";");
        assertThatThrownBy(() -> MessageFormat.of(format)).hasMessageContaining("expected a set of descriptors");
    }
}
