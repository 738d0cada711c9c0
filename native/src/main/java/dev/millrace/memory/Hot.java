// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// Marks code that runs per request or per batch.
///
/// It must not allocate, box, lock, log, use capturing lambdas, streams or maps keyed by strings. A test walks the
/// byte code of every method so marked; an exception that is built and thrown in place is the one allocation allowed,
/// because a failing request has left the hot path.
@Documented
@Retention(RetentionPolicy.CLASS)
@Target({ElementType.METHOD, ElementType.CONSTRUCTOR})
public @interface Hot {}
