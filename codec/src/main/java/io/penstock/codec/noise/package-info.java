/// The Noise Protocol Framework, revision 34, as far as a tunnel needs it: handshakes, cipher
/// states and key types. May import the JDK and BouncyCastle's low-level X25519; knows no frames,
/// no sockets, no threads and no clock.
@NullMarked
package io.penstock.codec.noise;

import org.jspecify.annotations.NullMarked;
