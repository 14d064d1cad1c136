/// The wire's vocabulary: the numbers of `docs/protocol.md`, error codes, frames, and the heads
/// that streams begin with.
/// Imports the JDK and Netty's buffers, nothing else.
@NullMarked
package io.penstock.codec;

import org.jspecify.annotations.NullMarked;
