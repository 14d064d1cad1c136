/// Streams on a session as pure state machines: ids, credit, order of sending. No sockets, no
/// threads; time comes in through a clock parameter.
/// Imports `codec`, `codec.frame` and Netty's buffers.
@NullMarked
package io.penstock.codec.mux;

import org.jspecify.annotations.NullMarked;
