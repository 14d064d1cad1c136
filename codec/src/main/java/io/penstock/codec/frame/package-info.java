/// Frames to bytes and back, without any state of a connection. Imports `codec` and Netty's
/// buffers.
@NullMarked
package io.penstock.codec.frame;

import org.jspecify.annotations.NullMarked;
