// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.memory.Hot;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/// The functions of ONNX Runtime's C API that the data plane calls.
///
/// Pointers are passed as `long`: a `MemorySegment` argument would have its session acquired and released around every
/// call. The caller keeps the memory alive. A function that returns a status throws [OrtFailure] when it is not null.
///
/// The table is the one of the library that ONNX Runtime's Java API has loaded, so that both drive the same runtime.
/// Initialisation fails with an error where the table is not to be had; [OrtRuntime] then falls back to the Java API.
@SuppressWarnings("restricted") // calling native code is what this class is for
final class OrtApi {
    /// The lowest version of the API that has every function used here; later libraries keep its table as a prefix.
    private static final int API_VERSION = 23;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemorySegment TABLE = table();

    // OrtErrorCode GetErrorCode(const OrtStatus*)
    private static final MethodHandle GET_ERROR_CODE = handle(1, JAVA_INT, JAVA_LONG);
    // const char* GetErrorMessage(const OrtStatus*)
    private static final MethodHandle GET_ERROR_MESSAGE = handle(2, ADDRESS, JAVA_LONG);
    // OrtStatus* CreateEnv(OrtLoggingLevel, const char* id, OrtEnv** out)
    private static final MethodHandle CREATE_ENV = handle(3, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    // OrtStatus* Run(OrtSession*, const OrtRunOptions*, const char* const* inputNames, const OrtValue* const* inputs,
    //                size_t nInputs, const char* const* outputNames, size_t nOutputs, OrtValue** outputs)
    private static final MethodHandle RUN = handle(
            9, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    // OrtStatus* CreateRunOptions(OrtRunOptions** out)
    private static final MethodHandle CREATE_RUN_OPTIONS = handle(39, JAVA_LONG, JAVA_LONG);
    // OrtStatus* RunOptionsSetRunLogSeverityLevel(OrtRunOptions*, int)
    private static final MethodHandle SET_RUN_LOG_LEVEL = handle(41, JAVA_LONG, JAVA_LONG, JAVA_INT);
    // OrtStatus* RunOptionsSetTerminate(OrtRunOptions*)
    private static final MethodHandle SET_TERMINATE = handle(46, JAVA_LONG, JAVA_LONG);
    // OrtStatus* RunOptionsUnsetTerminate(OrtRunOptions*)
    private static final MethodHandle UNSET_TERMINATE = handle(47, JAVA_LONG, JAVA_LONG);
    // OrtStatus* CreateTensorAsOrtValue(OrtAllocator*, const int64_t* shape, size_t rank, type, OrtValue** out)
    private static final MethodHandle CREATE_TENSOR =
            handle(48, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG);
    // OrtStatus* CreateTensorWithDataAsOrtValue(const OrtMemoryInfo*, void* data, size_t bytes, const int64_t* shape,
    //                                           size_t rank, type, OrtValue** out)
    private static final MethodHandle CREATE_TENSOR_WITH_DATA =
            handle(49, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG);
    // OrtStatus* GetTensorMutableData(OrtValue*, void** out)
    private static final MethodHandle GET_TENSOR_DATA = handle(51, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    // OrtStatus* FillStringTensor(OrtValue*, const char* const* strings, size_t count)
    private static final MethodHandle FILL_STRINGS = handle(52, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    // OrtStatus* GetStringTensorDataLength(const OrtValue*, size_t* bytes)
    private static final MethodHandle GET_STRINGS_LENGTH = handle(53, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    // OrtStatus* GetStringTensorContent(const OrtValue*, void* bytes, size_t length, size_t* offsets, size_t count)
    private static final MethodHandle GET_STRINGS =
            handle(54, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    // OrtStatus* GetTensorElementType(const OrtTensorTypeAndShapeInfo*, ONNXTensorElementDataType* out)
    private static final MethodHandle GET_ELEMENT_TYPE = handle(60, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    // OrtStatus* GetDimensionsCount(const OrtTensorTypeAndShapeInfo*, size_t* out)
    private static final MethodHandle GET_RANK = handle(61, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    // OrtStatus* GetDimensions(const OrtTensorTypeAndShapeInfo*, int64_t* dims, size_t count)
    private static final MethodHandle GET_DIMS = handle(62, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    // OrtStatus* GetTensorTypeAndShape(const OrtValue*, OrtTensorTypeAndShapeInfo** out)
    private static final MethodHandle GET_TYPE_AND_SHAPE = handle(65, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    // OrtStatus* CreateCpuMemoryInfo(OrtAllocatorType, OrtMemType, OrtMemoryInfo** out)
    private static final MethodHandle CREATE_CPU_MEMORY_INFO = handle(69, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG);
    // OrtStatus* GetAllocatorWithDefaultOptions(OrtAllocator** out)
    private static final MethodHandle GET_DEFAULT_ALLOCATOR = handle(78, JAVA_LONG, JAVA_LONG);
    // OrtStatus* CreateAndRegisterAllocator(OrtEnv*, const OrtMemoryInfo*, const OrtArenaCfg*)
    private static final MethodHandle REGISTER_ALLOCATOR = handle(144, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    // void ReleaseArenaCfg(OrtArenaCfg*)
    private static final MethodHandle RELEASE_ARENA_CONFIG = handle(157, null, JAVA_LONG);
    // OrtStatus* CreateArenaCfgV2(const char* const* keys, const size_t* values, size_t count, OrtArenaCfg** out)
    private static final MethodHandle CREATE_ARENA_CONFIG =
            handle(164, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    // OrtStatus* AddRunConfigEntry(OrtRunOptions*, const char* key, const char* value)
    private static final MethodHandle ADD_RUN_CONFIG = handle(165, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    // void ReleaseStatus(OrtStatus*)
    private static final MethodHandle RELEASE_STATUS = handle(93, null, JAVA_LONG);
    // void ReleaseValue(OrtValue*)
    private static final MethodHandle RELEASE_VALUE = handle(96, null, JAVA_LONG);
    // void ReleaseRunOptions(OrtRunOptions*)
    private static final MethodHandle RELEASE_RUN_OPTIONS = handle(97, null, JAVA_LONG);
    // void ReleaseTensorTypeAndShapeInfo(OrtTensorTypeAndShapeInfo*)
    private static final MethodHandle RELEASE_TYPE_AND_SHAPE = handle(99, null, JAVA_LONG);

    private static final int ALLOCATOR_DEVICE = 0;
    private static final int ALLOCATOR_ARENA = 1;
    private static final int MEMORY_DEFAULT = 0;
    private static final int LOG_WARNING = 2;
    private static final int LOG_FATAL = 4;
    /// Otherwise an arena grows by powers of two.
    private static final long EXTEND_AS_REQUESTED = 1;

    /// Memory information of plain host memory; lives as long as the process.
    static final long CPU_MEMORY = createOnce(out -> {
        check((long) CREATE_CPU_MEMORY_INFO.invokeExact(ALLOCATOR_DEVICE, MEMORY_DEFAULT, out));
    });

    /// The default CPU allocator; owned by ONNX Runtime.
    static final long DEFAULT_ALLOCATOR = createOnce(out -> check((long) GET_DEFAULT_ALLOCATOR.invokeExact(out)));

    private OrtApi() {}

    /// Takes one more reference to the process-wide environment, which is never given back: ONNX Runtime's own shutdown
    /// hook releases the environment while other threads may still run, and this reference keeps it alive.
    ///
    /// @return the `OrtEnv*`
    static long keepEnvironment() {
        return createOnce(out -> {
            MemorySegment name = Arena.global().allocateFrom("millrace");
            check((long) CREATE_ENV.invokeExact(LOG_WARNING, name.address(), out));
        });
    }

    /// Registers an allocator that all sessions may share: an arena that takes memory from the system as it is asked
    /// for, and no more than `limit` bytes.
    static void registerArena(long environment, long limit) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment keys = arena.allocate(ADDRESS, 2);
            keys.setAtIndex(ADDRESS, 0, arena.allocateFrom("max_mem"));
            keys.setAtIndex(ADDRESS, 1, arena.allocateFrom("arena_extend_strategy"));
            MemorySegment values = arena.allocateFrom(JAVA_LONG, limit, EXTEND_AS_REQUESTED);
            long info = createOnce(
                    out -> check((long) CREATE_CPU_MEMORY_INFO.invokeExact(ALLOCATOR_ARENA, MEMORY_DEFAULT, out)));
            long config = createOnce(
                    out -> check((long) CREATE_ARENA_CONFIG.invokeExact(keys.address(), values.address(), 2L, out)));
            check((long) REGISTER_ALLOCATOR.invokeExact(environment, info, config));
            RELEASE_ARENA_CONFIG.invokeExact(config);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /// Run options with which the arena gives back to the system, after the run, what nothing is using.
    static long createShrinkingRunOptions() {
        long options = createRunOptions();
        try (Arena arena = Arena.ofConfined()) {
            long key =
                    arena.allocateFrom("memory.enable_memory_arena_shrinkage").address();
            check((long) ADD_RUN_CONFIG.invokeExact(
                    options, key, arena.allocateFrom("cpu:0").address()));
            return options;
        } catch (Throwable t) {
            releaseRunOptions(options);
            throw unexpected(t);
        }
    }

    @Hot
    @SuppressWarnings("ParameterNumber") // the C function's own
    static void run(
            long session,
            long options,
            long inputNames,
            long inputs,
            long inputCount,
            long outputNames,
            long outputCount,
            long outputs) {
        try {
            check((long) RUN.invokeExact(
                    session, options, inputNames, inputs, inputCount, outputNames, outputCount, outputs));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    @Hot
    static void createTensorWithData(long data, long bytes, long shape, long rank, int type, long out) {
        try {
            check((long) CREATE_TENSOR_WITH_DATA.invokeExact(CPU_MEMORY, data, bytes, shape, rank, type, out));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    @Hot
    static void releaseValue(long value) {
        try {
            RELEASE_VALUE.invokeExact(value);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static void createStringTensor(long shape, long rank, long out) {
        try {
            check((long) CREATE_TENSOR.invokeExact(DEFAULT_ALLOCATOR, shape, rank, 8, out));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static void fillStrings(long value, long strings, long count) {
        try {
            check((long) FILL_STRINGS.invokeExact(value, strings, count));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static void stringsLength(long value, long out) {
        try {
            check((long) GET_STRINGS_LENGTH.invokeExact(value, out));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static void strings(long value, long bytes, long length, long offsets, long count) {
        try {
            check((long) GET_STRINGS.invokeExact(value, bytes, length, offsets, count));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static void tensorData(long value, long out) {
        try {
            check((long) GET_TENSOR_DATA.invokeExact(value, out));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static void typeAndShape(long value, long out) {
        try {
            check((long) GET_TYPE_AND_SHAPE.invokeExact(value, out));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static void elementType(long info, long out) {
        try {
            check((long) GET_ELEMENT_TYPE.invokeExact(info, out));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static void rank(long info, long out) {
        try {
            check((long) GET_RANK.invokeExact(info, out));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static void dims(long info, long out, long count) {
        try {
            check((long) GET_DIMS.invokeExact(info, out, count));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static void releaseTypeAndShape(long info) {
        try {
            RELEASE_TYPE_AND_SHAPE.invokeExact(info);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /// Run options with which a run that fails is not also logged by ONNX Runtime: its status says the same, and who
    /// gets that knows how often to log it.
    static long createRunOptions() {
        long options = createOnce(out -> check((long) CREATE_RUN_OPTIONS.invokeExact(out)));
        try {
            check((long) SET_RUN_LOG_LEVEL.invokeExact(options, LOG_FATAL));
            return options;
        } catch (Throwable t) {
            releaseRunOptions(options);
            throw unexpected(t);
        }
    }

    static void setTerminate(long options) {
        try {
            check((long) SET_TERMINATE.invokeExact(options));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static void unsetTerminate(long options) {
        try {
            check((long) UNSET_TERMINATE.invokeExact(options));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static void releaseRunOptions(long options) {
        try {
            RELEASE_RUN_OPTIONS.invokeExact(options);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    @Hot
    private static void check(long status) {
        if (status != 0) {
            throw failure(status);
        }
    }

    private static OrtFailure failure(long status) {
        try {
            int code = (int) GET_ERROR_CODE.invokeExact(status);
            MemorySegment text = (MemorySegment) GET_ERROR_MESSAGE.invokeExact(status);
            String message = text.reinterpret(Long.MAX_VALUE).getString(0);
            RELEASE_STATUS.invokeExact(status);
            return new OrtFailure(code, message);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /// Method handles declare `Throwable`; what really arrives is our own exception or an error.
    private static RuntimeException unexpected(Throwable thrown) {
        if (thrown instanceof RuntimeException e) {
            return e;
        }
        if (thrown instanceof Error e) {
            throw e;
        }
        return new IllegalStateException(thrown);
    }

    private interface NativeCreation {
        void into(long out) throws Throwable;
    }

    private static long createOnce(NativeCreation creation) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            creation.into(out.address());
            return out.get(JAVA_LONG, 0);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static MethodHandle handle(int index, MemoryLayout result, MemoryLayout... arguments) {
        MemorySegment function = TABLE.getAtIndex(ADDRESS, index);
        FunctionDescriptor descriptor =
                result == null ? FunctionDescriptor.ofVoid(arguments) : FunctionDescriptor.of(result, arguments);
        return LINKER.downcallHandle(function, descriptor);
    }

    private static MemorySegment table() {
        MemorySegment symbol = SymbolLookup.loaderLookup()
                .find("OrtGetApiBase")
                .orElseThrow(() -> new UnsatisfiedLinkError("OrtGetApiBase is not in the loaded ONNX Runtime"));
        try {
            // OrtApiBase { const OrtApi* (*GetApi)(uint32_t version); const char* (*GetVersionString)(); }
            MethodHandle getBase = LINKER.downcallHandle(symbol, FunctionDescriptor.of(ADDRESS));
            MemorySegment base = ((MemorySegment) getBase.invokeExact()).reinterpret(2 * ADDRESS.byteSize());
            MethodHandle getApi = LINKER.downcallHandle(base.get(ADDRESS, 0), FunctionDescriptor.of(ADDRESS, JAVA_INT));
            MemorySegment api = (MemorySegment) getApi.invokeExact(API_VERSION);
            if (api.address() == 0) {
                throw new UnsatisfiedLinkError("ONNX Runtime has no C API of version " + API_VERSION);
            }
            return api.reinterpret(166 * ADDRESS.byteSize());
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }
}
