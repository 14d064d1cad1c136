/// Tests of the Noise handshakes: published vectors, a second implementation, and a peer that lies.
/// May import BouncyCastle's primitives besides what the package under test may.
@NullMarked
package io.penstock.codec.noise;

import org.jspecify.annotations.NullMarked;
