// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// A tensor in host memory that we own: element type, shape and row-major elements in native byte order.
///
/// It is made once and reshaped many times; memory grows when a larger shape asks for it and never shrinks, so that in
/// steady state nothing is allocated. Elements of [DataType#BYTES] live on the heap. What it holds is booked in a
/// [MemoryBudget]; growing beyond that fails with a [MemoryExceededException] and leaves the tensor as it was.
///
/// Threads: one at a time. Ownership: whoever made it closes it. Element indices count in row-major order from 0 and
/// are checked against the capacity, not against the shape.
public final class Tensor implements AutoCloseable {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    private static final byte[] NO_BYTES = {};
    private static final byte[][] NO_STRINGS = {};

    /// What a string takes on the heap besides its bytes: its reference, its array's header, rounding up.
    private static final int STRING_BYTES = 24;
    /// Texts are booked in steps of this.
    private static final List<?> NO_KEYS = List.of();
    private static final long TEXT_STEP = 1 << 16;

    private MemoryBudget budget;
    private MemoryTag tag;
    private final DataType datatype;
    private final int elementBytes;
    private long[] dims = new long[4];
    private int rank = -1;
    private long elementCount;
    private OffHeapRegion region;
    private MemorySegment data = MemorySegment.NULL;
    private byte[][] strings = NO_STRINGS;
    private long textBytes;
    private long bookedForStrings;
    private List<?> keys = NO_KEYS;
    /// Which of its elements are null, if they may be; otherwise null.
    private Nulls nulls;
    /// The strings of one whose elements may be null; otherwise null.
    private PackedTexts packed;

    /// An empty tensor without a shape and without a limit.
    public Tensor(MemoryTag tag, DataType datatype) {
        this(MemoryBudget.UNLIMITED, tag, datatype);
    }

    /// An empty tensor without a shape.
    ///
    /// @param budget what its memory is booked in: native memory, or the heap for [DataType#BYTES]
    public Tensor(MemoryBudget budget, MemoryTag tag, DataType datatype) {
        this.budget = budget;
        this.tag = tag;
        this.datatype = datatype;
        this.elementBytes = datatype.byteSize();
    }

    /// Lets its elements be null. Such tensors hold raw values; models take none of them. Strings are copied into them,
    /// so that in steady state setting one makes no object, and are empty again after a shape was set.
    public Tensor nullable() {
        nulls = new Nulls();
        packed = datatype == DataType.BYTES ? new PackedTexts() : null;
        return this;
    }

    /// Whether its elements may be null.
    @Hot
    public boolean isNullable() {
        return nulls != null;
    }

    /// Whether an element is null.
    @Hot
    public boolean isNull(long index) {
        return nulls != null && nulls.is(index);
    }

    /// Sets an element to null, or back to the value that it has besides. No element is null after a shape was set.
    ///
    /// @throws IllegalStateException if the tensor is not [#nullable()]
    @Hot
    public void setNull(long index, boolean isNull) {
        if (nulls != null) {
            nulls.set(index, isNull);
        } else if (isNull) {
            throw notNullable(index);
        }
    }

    private static IllegalStateException notNullable(long index) {
        return new IllegalStateException("element " + index + " was set to null, expected a value");
    }

    @Hot
    private void clearNulls() {
        if (nulls != null) {
            nulls.clear();
        }
    }

    /// The element type.
    public DataType datatype() {
        return datatype;
    }

    /// Whether a shape was set since the tensor was made or cleared.
    @Hot
    public boolean hasShape() {
        return rank >= 0;
    }

    /// The number of dimensions; 0 for a scalar.
    @Hot
    public int rank() {
        return Math.max(0, rank);
    }

    /// The size of dimension `axis`.
    @Hot
    public long dim(int axis) {
        if (axis >= rank) {
            throw new IndexOutOfBoundsException("axis " + axis + " of a tensor of rank " + rank());
        }
        return dims[axis];
    }

    /// Whether the shape fits a pattern: same rank, and every dimension equal that is not negative there.
    @Hot
    public boolean fits(long[] pattern) {
        if (rank != pattern.length) {
            return false;
        }
        for (int axis = 0; axis < pattern.length; axis++) {
            if (pattern[axis] >= 0 && pattern[axis] != dims[axis]) {
                return false;
            }
        }
        return true;
    }

    /// A copy of the shape.
    public long[] shape() {
        return Arrays.copyOf(dims, rank());
    }

    /// The number of elements: the product of the dimensions.
    public long elementCount() {
        return elementCount;
    }

    /// The bytes that the elements take; 0 for [DataType#BYTES].
    @Hot
    public long byteSize() {
        return elementCount * elementBytes;
    }

    /// The bytes that it holds, which may be more than its shape needs.
    public long heldBytes() {
        return region == null ? bookedForStrings : region.byteSize();
    }

    /// Whether what it holds should be freed rather than kept for later.
    @Hot
    public boolean isTight() {
        return budget.isTight();
    }

    /// Sets the shape. Elements keep their values as far as the memory does; new memory is zero, new strings are empty.
    /// When it fails the tensor is as it was.
    ///
    /// @throws IllegalArgumentException if a dimension is negative or the elements would not fit in memory
    public Tensor reshape(long... shape) {
        return reshape(shape, shape.length);
    }

    /// Sets the shape to the first `rank` values of `shape`; otherwise as [#reshape(long...)].
    public Tensor reshape(long[] shape, int rank) {
        long count = checkedCount(shape, rank);
        reserve(count);
        if (rank > dims.length) {
            dims = new long[rank];
        }
        System.arraycopy(shape, 0, dims, 0, rank);
        this.rank = rank;
        elementCount = count;
        clearNulls();
        return this;
    }

    /// Sets the leading dimension and leaves the others: more or fewer rows of the same kind.
    @Hot
    public Tensor rows(long rows) {
        if (rank < 1 || dims[0] != rows) {
            changeRows(rows);
        }
        return this;
    }

    private void changeRows(long rows) {
        long[] shape = shape();
        if (shape.length == 0) {
            throw new IllegalArgumentException((hasShape() ? "a scalar" : "a tensor without a shape") + " has no rows");
        }
        shape[0] = rows;
        reshape(shape);
    }

    /// Forgets the shape, so that [#hasShape()] tells whether the next user set one.
    @Hot
    public void clear() {
        clearNulls();
        rank = -1;
        elementCount = 0;
        keys = NO_KEYS;
    }

    /// The elements' memory: at least [#byteSize()] bytes, valid until the next reshape or close.
    @Hot
    public MemorySegment data() {
        return data;
    }

    /// The address of the first element, for native calls.
    public long address() {
        return data.address();
    }

    /// Element `index` of an FP32 tensor.
    @Hot
    public float getFloat(long index) {
        return data.get(FLOAT, index << 2);
    }

    /// Sets element `index` of an FP32 tensor.
    @Hot
    public void setFloat(long index, float value) {
        data.set(FLOAT, index << 2, value);
    }

    /// Element `index` of an FP64 tensor.
    @Hot
    public double getDouble(long index) {
        return data.get(DOUBLE, index << 3);
    }

    /// Sets element `index` of an FP64 tensor.
    @Hot
    public void setDouble(long index, double value) {
        data.set(DOUBLE, index << 3, value);
    }

    /// Element `index` of an integer or BOOL tensor, widened by its signedness. UINT64 comes as its 64 bits.
    @Hot
    public long getLong(long index) {
        return switch (datatype) {
            case INT64, UINT64 -> data.get(LONG, index << 3);
            case INT32 -> data.get(INT, index << 2);
            case UINT32 -> data.get(INT, index << 2) & 0xFFFF_FFFFL;
            case INT16 -> data.get(SHORT, index << 1);
            case UINT16, FP16, BF16 -> data.get(SHORT, index << 1) & 0xFFFFL;
            case INT8 -> data.get(ValueLayout.JAVA_BYTE, index);
            case UINT8, BOOL -> data.get(ValueLayout.JAVA_BYTE, index) & 0xFFL;
            default -> throw new IllegalStateException("a " + datatype + " tensor has no integer elements");
        };
    }

    /// Sets element `index` of an integer or BOOL tensor to the low bits of `value`; FP16 and BF16 take raw bits.
    @Hot
    public void setLong(long index, long value) {
        switch (datatype) {
            case INT64, UINT64 -> data.set(LONG, index << 3, value);
            case INT32, UINT32 -> data.set(INT, index << 2, (int) value);
            case INT16, UINT16, FP16, BF16 -> data.set(SHORT, index << 1, (short) value);
            case INT8, UINT8, BOOL -> data.set(ValueLayout.JAVA_BYTE, index, (byte) value);
            default -> throw new IllegalStateException("a " + datatype + " tensor has no integer elements");
        }
    }

    /// Element `index` of a floating-point tensor of any width.
    @Hot
    public double getReal(long index) {
        return switch (datatype) {
            case FP32 -> getFloat(index);
            case FP64 -> getDouble(index);
            case FP16 -> Float.float16ToFloat(data.get(SHORT, index << 1));
            case BF16 -> Float.intBitsToFloat(data.get(SHORT, index << 1) << 16);
            default -> throw new IllegalStateException("a " + datatype + " tensor has no floating-point elements");
        };
    }

    /// Sets element `index` of a floating-point tensor of any width, rounded to nearest even.
    @Hot
    public void setReal(long index, double value) {
        switch (datatype) {
            case FP32 -> setFloat(index, (float) value);
            case FP64 -> setDouble(index, value);
            case FP16 -> data.set(SHORT, index << 1, Float.floatToFloat16(toOddFloat(value)));
            case BF16 -> data.set(SHORT, index << 1, bfloat16(toOddFloat(value)));
            default -> throw new IllegalStateException("a " + datatype + " tensor has no floating-point elements");
        }
    }

    /// Copies `values` to the elements from `index` on of an FP32 tensor.
    @Hot
    public void putFloats(long index, float[] values, int offset, int count) {
        MemorySegment.copy(values, offset, data, FLOAT, index << 2, count);
    }

    /// Copies `values` to the first elements of an FP32 tensor.
    @Hot
    public void putFloats(float[] values) {
        putFloats(0, values, 0, values.length);
    }

    /// Copies `count` elements of an FP32 tensor from `index` on into `target`.
    @Hot
    public void getFloats(long index, float[] target, int offset, int count) {
        MemorySegment.copy(data, FLOAT, index << 2, target, offset, count);
    }

    /// Element `index` of a BYTES tensor; the array is not copied unless the tensor is [#nullable()].
    @Hot
    public byte[] getBytes(int index) {
        return packed == null ? strings[index] : packed.copy(index);
    }

    /// The array that element `index` of a [#nullable()] BYTES tensor lies in, from [#textOffset(int)] on.
    @Hot
    public byte[] texts() {
        return packed.bytes();
    }

    /// Where in [#texts()] element `index` begins.
    @Hot
    public int textOffset(int index) {
        return packed.offset(index);
    }

    /// How many bytes of [#texts()] element `index` has.
    @Hot
    public int textLength(int index) {
        return packed.length(index);
    }

    /// Sets element `index` of a BYTES tensor to a part of an array, which is copied.
    ///
    /// @throws MemoryExceededException if the budget does not have the memory
    @Hot
    public void setBytes(int index, byte[] text, int offset, int length) {
        if (packed == null) {
            setCopy(index, text, offset, length);
            return;
        }
        bookStrings(packed.capacity(), packed.heldWith(index, length));
        packed.put(index, text, offset, length);
    }

    private void setCopy(int index, byte[] text, int offset, int length) {
        setBytes(index, Arrays.copyOfRange(text, offset, offset + length));
    }

    /// Sets element `index` of a BYTES tensor; the array is kept, not copied, unless the tensor is [#nullable()].
    ///
    /// @throws MemoryExceededException if the budget does not have the memory
    public void setBytes(int index, byte[] value) {
        if (packed != null) {
            setBytes(index, value, 0, value.length);
            return;
        }
        long texts = textBytes + value.length - strings[index].length;
        bookStrings(strings.length, texts);
        textBytes = texts;
        strings[index] = value;
    }

    /// Element `index` of a BYTES tensor as UTF-8 text.
    public String getString(int index) {
        return new String(getBytes(index), StandardCharsets.UTF_8);
    }

    /// Sets element `index` of a BYTES tensor to the UTF-8 bytes of `value`.
    public void setString(int index, String value) {
        setBytes(index, value.getBytes(StandardCharsets.UTF_8));
    }

    /// What the last axis stands for when the model's output was a map: its keys (Long or String) in column order;
    /// empty for every other tensor.
    public List<?> keys() {
        return keys;
    }

    /// Names the columns of the last axis.
    public void keys(List<?> columnKeys) {
        keys = List.copyOf(columnKeys);
    }

    /// Moves the memory into a new tensor without a shape and leaves this one as if closed. For an owner who goes on
    /// with the memory while others may still hold this object.
    public Tensor moved() {
        Tensor target = new Tensor(budget, tag, datatype);
        if (nulls != null) {
            target.nullable();
        }
        target.region = region;
        target.data = data;
        region = null;
        close();
        return target;
    }

    /// Exchanges shape and memory with another tensor of the same datatype, without a copy; with copies if the elements
    /// of one of them may be null, and of the other not.
    public void swap(Tensor other) {
        requireSameType(other);
        if (nulls != null || other.nulls != null) {
            Tensor mine = new Tensor(MemoryBudget.UNLIMITED, tag, datatype);
            mine.copyFrom(this);
            copyFrom(other);
            other.copyFrom(mine);
            mine.close();
            return;
        }
        Tensor mine = new Tensor(budget, tag, datatype);
        mine.take(this);
        take(other);
        other.take(mine);
    }

    private void take(Tensor from) {
        budget = from.budget;
        tag = from.tag;
        dims = from.dims;
        rank = from.rank;
        elementCount = from.elementCount;
        region = from.region;
        data = from.data;
        strings = from.strings;
        textBytes = from.textBytes;
        bookedForStrings = from.bookedForStrings;
        keys = from.keys;
    }

    /// Takes over the shape of another tensor of the same datatype and a copy of its elements; strings are not copied.
    /// Elements that are null there are null here, if they may be.
    ///
    /// @throws MemoryExceededException if there is no memory for them
    public void copyFrom(Tensor other) {
        requireSameType(other);
        reshape(other.dims, other.rank());
        keys = other.keys;
        if (nulls != null && other.nulls != null) {
            nulls.copyFrom(other.nulls);
        }
        if (datatype != DataType.BYTES) {
            MemorySegment.copy(other.data, 0, data, 0, byteSize());
            return;
        }
        for (int i = 0; i < elementCount; i++) {
            setBytes(i, other.getBytes(i));
        }
    }

    private void requireSameType(Tensor other) {
        if (other.datatype != datatype) {
            throw new IllegalArgumentException("a tensor of " + other.datatype + ", expected one of " + datatype);
        }
    }

    /// Frees the memory; the tensor can be reshaped again afterwards.
    @Override
    public void close() {
        if (region != null) {
            region.close();
            region = null;
        }
        data = MemorySegment.NULL;
        strings = NO_STRINGS;
        packed = packed == null ? null : new PackedTexts();
        textBytes = 0;
        budget.release(tag, bookedForStrings);
        bookedForStrings = 0;
        clear();
    }

    @Override
    public String toString() {
        return datatype + (hasShape() ? Arrays.toString(shape()) : "[no shape]");
    }

    private long checkedCount(long[] shape, int rank) {
        long count = 1;
        // Where one dimension is 0 the others multiply, too, in kernels that go by strides.
        long span = Math.max(1, elementBytes);
        for (int axis = 0; axis < rank; axis++) {
            long dim = shape[axis];
            if (dim < 0) {
                throw new IllegalArgumentException("negative dimension in shape " + Arrays.toString(shape));
            }
            span = multiply(span, Math.max(1, dim), shape);
            count *= dim;
        }
        if (datatype == DataType.BYTES && count > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("too many strings in shape " + Arrays.toString(shape));
        }
        return count;
    }

    private static long multiply(long count, long factor, long[] shape) {
        if (Math.multiplyHigh(count, factor) != 0 || count * factor < 0) {
            throw new IllegalArgumentException("shape " + Arrays.toString(shape) + " has more elements than memory");
        }
        return count * factor;
    }

    private void reserve(long count) {
        if (packed != null) {
            bookStrings(count, packed.heldBytes());
            packed.reset((int) count);
        } else if (datatype == DataType.BYTES) {
            if (strings.length < count) {
                bookStrings(count, textBytes);
                int before = strings.length;
                strings = Arrays.copyOf(strings, (int) count);
                Arrays.fill(strings, before, strings.length, NO_BYTES);
            }
        } else if (region == null || region.byteSize() < count * elementBytes) {
            grow(count * elementBytes);
        }
    }

    @Hot
    private void bookStrings(long count, long texts) {
        long needed = count * STRING_BYTES + texts;
        if (needed > bookedForStrings) {
            bookMore(needed);
        }
    }

    private void bookMore(long needed) {
        long more = Math.ceilDiv(needed - bookedForStrings, TEXT_STEP) * TEXT_STEP;
        budget.reserve(tag, more);
        bookedForStrings += more;
    }

    private void grow(long bytes) {
        OffHeapRegion larger = OffHeapRegion.allocate(budget, tag, bytes);
        if (region != null) {
            MemorySegment.copy(data, 0, larger.segment(), 0, data.byteSize());
            region.close();
        }
        region = larger;
        data = larger.segment();
    }

    /// Rounds to the neighbouring float with an odd last bit unless the value is a float itself. What is rounded to
    /// nearest even with fewer bits afterwards is as if it had been rounded once.
    @Hot
    private static float toOddFloat(double value) {
        float nearest = (float) value;
        boolean exact = nearest == value || Double.isNaN(value);
        if (exact || (Float.floatToRawIntBits(nearest) & 1) != 0) {
            return nearest;
        }
        return value > nearest ? Math.nextUp(nearest) : Math.nextDown(nearest);
    }

    @Hot
    private static short bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
    }
}
