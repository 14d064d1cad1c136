/// Sealed and signed documents: HPKE seals, JWS signatures, the root's keyset and what its keys
/// certify, the enrollment token's text. May import the JDK, BouncyCastle's lightweight primitives
/// and Jackson; nothing of the tunnel, no clock and no sockets.
@NullMarked
package io.penstock.codec.seal;

import org.jspecify.annotations.NullMarked;
