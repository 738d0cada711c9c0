// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Asserts that a test leaves as much native memory as it found, under every tag.
public final class NoLeaks implements BeforeEachCallback, AfterEachCallback {
    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(NoLeaks.class);

    @Override
    public void beforeEach(ExtensionContext context) {
        context.getStore(NAMESPACE).put("used", used());
    }

    @Override
    public void afterEach(ExtensionContext context) {
        assertThat(used())
                .as("native memory per tag " + Arrays.toString(MemoryTag.values()))
                .isEqualTo(context.getStore(NAMESPACE).get("used"));
    }

    private static List<Long> used() {
        return Arrays.stream(MemoryTag.values()).map(NativeMemory::used).toList();
    }
}
