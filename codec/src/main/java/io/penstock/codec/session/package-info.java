/// One session as a function of records: ciphers, frames and streams put together, plus liveness
/// and fresh keys. Broker, agent and load harness put sockets around it.
/// Imports the rest of `codec` and Netty's buffers; no sockets, no threads, time and offloading
/// come in as parameters.
@NullMarked
package io.penstock.codec.session;

import org.jspecify.annotations.NullMarked;
