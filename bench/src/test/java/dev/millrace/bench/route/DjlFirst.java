// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/// Starts DJL's engine before any test uses ONNX Runtime: it fails in a process that has used it.
public final class DjlFirst implements LauncherSessionListener {
    @Override
    public void launcherSessionOpened(LauncherSession session) {
        DjlEngine.start();
    }
}
