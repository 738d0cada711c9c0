// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import dev.millrace.memory.Hot;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// What a view is: its name, the key of its entities, and its fields, with the place of each in a
/// row.
///
/// A row is, in the machine's byte order: the event time, the availability time (both in
/// microseconds since 1970), words of a bitmap, then the fields, wide ones first. Bit 0 of the
/// bitmap says that the entity was deleted, bit i + 1 that field i is null. So a value is read
/// where it lies, without decoding.
///
/// Threads: immutable, any.
public final class ViewSchema {
    /// Where a row has its event time: when what it tells was so.
    public static final int EVENT_TIME = 0;
    /// Where a row has its availability time: when it could first have been known.
    public static final int AVAILABILITY_TIME = Long.BYTES;
    /// Where a row has its bitmap.
    public static final int BITMAP = 2 * Long.BYTES;
    /// The most fields a view may have.
    public static final int MAX_FIELDS = 4096;

    /// Bytes of a row, at most.
    static final int MAX_ROW_BYTES = 1 << 16;
    /// The longest key in bytes.
    private static final int MAX_KEY_BYTES = 256;

    private final String name;
    private final Field key;
    private final List<Field> fields;
    private final Map<String, Integer> indexes = new HashMap<>();
    private final int[] offsets;
    private final FieldType[] types;
    private final int rowBytes;

    /// Lays it out.
    ///
    /// @param name letters, digits, `_`, `-` and `.`, at most 64
    /// @param key the entity's key: [FieldType#INT64] or a string of at most 256 bytes
    /// @param fields at least one; their order is that of their indexes
    /// @throws IllegalArgumentException if it cannot be
    public ViewSchema(String name, Field key, List<Field> fields) {
        Field.requireName("view", name);
        this.name = name;
        this.key = key;
        this.fields = List.copyOf(fields);
        requireKey();
        if (fields.isEmpty() || fields.size() > MAX_FIELDS) {
            throw new IllegalArgumentException(
                    "view '" + name + "' has " + fields.size() + " fields, expected 1 to " + MAX_FIELDS);
        }
        for (int i = 0; i < fields.size(); i++) {
            if (indexes.put(fields.get(i).name(), i) != null) {
                throw new IllegalArgumentException(
                        "view '" + name + "' has two fields '" + fields.get(i).name() + "'");
            }
        }
        this.types = fields.stream().map(Field::type).toArray(FieldType[]::new);
        this.offsets = new int[fields.size()];
        this.rowBytes = layOut();
    }

    private void requireKey() {
        boolean possible =
                key.type() == FieldType.INT64 || (key.type() == FieldType.STRING && key.maxBytes() <= MAX_KEY_BYTES);
        if (!possible) {
            throw new IllegalArgumentException("the key '" + key.name() + "' of view '" + name + "' is "
                    + key.typeText() + ", expected int64, or string(N) with N up to " + MAX_KEY_BYTES);
        }
    }

    private int layOut() {
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, offsets.length).boxed().toList());
        // Strings begin with two bytes and may have any length: they come last.
        order.sort(Comparator.comparingInt(field -> types[field] == FieldType.STRING ? 1 : -types[field].bytes()));
        long at = BITMAP + (long) Long.BYTES * (1 + fields.size() / Long.SIZE);
        for (int field : order) {
            at += types[field] == FieldType.STRING ? at & 1 : 0;
            offsets[field] = (int) at;
            at += fields.get(field).bytes();
            if (at > MAX_ROW_BYTES) {
                throw new IllegalArgumentException(
                        "a row of view '" + name + "' takes more than " + MAX_ROW_BYTES + " bytes");
            }
        }
        return align((int) at);
    }

    /// The next multiple of eight.
    static int align(int bytes) {
        return (bytes + 7) & -8;
    }

    /// The view's name.
    public String name() {
        return name;
    }

    /// The key of its entities.
    public Field key() {
        return key;
    }

    /// Whether the key is a string, and otherwise a long.
    @Hot
    public boolean hasStringKey() {
        return key.type() == FieldType.STRING;
    }

    /// The fields, in the order of their indexes.
    public List<Field> fields() {
        return fields;
    }

    /// The index of a field.
    ///
    /// @throws IllegalArgumentException if there is none of that name
    public int index(String field) {
        Integer index = indexes.get(field);
        if (index == null) {
            throw new IllegalArgumentException("view '" + name + "' has no field '" + field + "'; it has "
                    + fields.stream().map(Field::name).toList());
        }
        return index;
    }

    /// Whether there is a field of that name.
    public boolean has(String field) {
        return indexes.containsKey(field);
    }

    /// Where a row has a field, in bytes from its beginning. A string has two bytes with its length
    /// there, then its text.
    @Hot
    public int offset(int field) {
        return offsets[field];
    }

    /// The type of a field.
    @Hot
    public FieldType type(int field) {
        return types[field];
    }

    /// The bytes of a row, a multiple of eight.
    public int rowBytes() {
        return rowBytes;
    }

    /// The bytes that a key takes in a table and in a batch, a multiple of eight. A string is its
    /// length in four bytes, its text, and zeros.
    int keyBytes() {
        return key.type() == FieldType.INT64 ? Long.BYTES : align(Integer.BYTES + key.maxBytes());
    }

    /// The schema as text: `view`, `key` and `field` in a line each.
    public String text() {
        StringBuilder text = new StringBuilder("view ").append(name).append('\n');
        text.append("key ")
                .append(key.name())
                .append(' ')
                .append(key.typeText())
                .append('\n');
        for (Field field : fields) {
            text.append("field ")
                    .append(field.name())
                    .append(' ')
                    .append(field.typeText())
                    .append('\n');
        }
        return text.toString();
    }

    /// Reads what [#text()] writes. Empty lines and those that begin with `#` are passed over.
    ///
    /// @throws IllegalArgumentException if it is something else; the message names the line
    public static ViewSchema parse(String text) {
        return SchemaText.parse(text);
    }

    /// The SHA-256 of [#text()], in hexadecimal digits.
    public String digest() {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /// What is first found to differ from a schema that was asked for: the view, the field, and
    /// both types.
    Optional<String> difference(ViewSchema asked) {
        String of = "view '" + name + "'";
        if (!key.equals(asked.key)) {
            return Optional.of(of + " has the key '" + key.name() + "' of type " + key.typeText() + ", but '"
                    + asked.key.name() + "' of type " + asked.key.typeText() + " was asked for");
        }
        for (int i = 0; i < Math.max(fields.size(), asked.fields.size()); i++) {
            String here = describe(fields, i);
            String there = describe(asked.fields, i);
            if (!here.equals(there)) {
                return Optional.of(of + " has " + here + " at position " + i + ", but " + there + " was asked for");
            }
        }
        return Optional.empty();
    }

    private static String describe(List<Field> fields, int index) {
        return index < fields.size()
                ? "field '" + fields.get(index).name() + "' of type "
                        + fields.get(index).typeText()
                : "no field";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ViewSchema that && text().equals(that.text());
    }

    @Override
    public int hashCode() {
        return text().hashCode();
    }

    @Override
    public String toString() {
        return text();
    }
}
