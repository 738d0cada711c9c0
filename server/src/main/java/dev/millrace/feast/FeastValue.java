// SPDX-License-Identifier: Apache-2.0
package dev.millrace.feast;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Reads values as Feast stores them, its message `Value`: a field whose number tells the type. No bytes at all are a
/// null that was written as one.
///
/// Threads: stateless.
public final class FeastValue {
    private static final int BYTES = 1;
    private static final int STRING = 2;
    private static final int INT32 = 3;
    private static final int INT64 = 4;
    private static final int DOUBLE = 5;
    private static final int FLOAT = 6;
    private static final int BOOL = 7;
    private static final int UNIX_TIMESTAMP = 8;
    /// Lists have the number of what is in them, and this.
    private static final int LIST = 10;

    private static final int NULL = 19;
    private static final int END = 0;

    private FeastValue() {}

    /// A value.
    ///
    /// @return null, a byte array, [String], [Integer], [Long], [Double], [Float], [Boolean], [UnixTime], or
    ///     a [List] of one of these
    /// @throws FeastFormatException if it cannot be read, or is of another type
    public static Object decode(byte[] bytes) {
        CodedInputStream in = CodedInputStream.newInstance(bytes);
        try {
            Object value = null;
            for (int tag = in.readTag(); tag != END; tag = in.readTag()) {
                int type = WireFormat.getTagFieldNumber(tag);
                if (type == NULL) {
                    in.skipField(tag);
                    value = null;
                } else if (type > LIST && type <= LIST + UNIX_TIMESTAMP) {
                    require(tag, WireFormat.WIRETYPE_LENGTH_DELIMITED);
                    value = list(in, type - LIST);
                } else {
                    require(tag, wireType(type));
                    value = scalar(in, type);
                }
            }
            return value;
        } catch (IOException e) {
            throw new FeastFormatException("a value cannot be read: " + e.getMessage());
        }
    }

    private static void require(int tag, int wireType) {
        if (WireFormat.getTagWireType(tag) != wireType) {
            throw new FeastFormatException("a value of type " + WireFormat.getTagFieldNumber(tag)
                    + " came as wire type " + WireFormat.getTagWireType(tag) + ", expected " + wireType);
        }
    }

    private static int wireType(int type) {
        return switch (type) {
            case BYTES, STRING -> WireFormat.WIRETYPE_LENGTH_DELIMITED;
            case INT32, INT64, BOOL, UNIX_TIMESTAMP -> WireFormat.WIRETYPE_VARINT;
            case DOUBLE -> WireFormat.WIRETYPE_FIXED64;
            case FLOAT -> WireFormat.WIRETYPE_FIXED32;
            default ->
                throw new FeastFormatException("a value of type " + type
                        + " came, expected a number, a truth value, a text, bytes, a time, or a list of such");
        };
    }

    private static Object scalar(CodedInputStream in, int type) throws IOException {
        return switch (type) {
            case BYTES -> in.readByteArray();
            case STRING -> in.readStringRequireUtf8();
            case INT32 -> in.readInt32();
            case INT64 -> in.readInt64();
            case DOUBLE -> in.readDouble();
            case FLOAT -> in.readFloat();
            case BOOL -> in.readBool();
            default -> time(in.readInt64());
        };
    }

    private static UnixTime time(long seconds) {
        return seconds == UnixTime.NONE ? null : new UnixTime(seconds);
    }

    /// A message with one field, repeated; numbers are packed or not.
    private static List<Object> list(CodedInputStream in, int type) throws IOException {
        List<Object> items = new ArrayList<>();
        int outer = in.pushLimit(in.readRawVarint32());
        for (int tag = in.readTag(); tag != END; tag = in.readTag()) {
            if (WireFormat.getTagFieldNumber(tag) != 1) {
                in.skipField(tag);
            } else if (WireFormat.getTagWireType(tag) == wireType(type)) {
                items.add(scalar(in, type));
            } else {
                require(tag, WireFormat.WIRETYPE_LENGTH_DELIMITED);
                int inner = in.pushLimit(in.readRawVarint32());
                while (!in.isAtEnd()) {
                    items.add(scalar(in, type));
                }
                in.popLimit(inner);
            }
        }
        in.popLimit(outer);
        return items;
    }
}
