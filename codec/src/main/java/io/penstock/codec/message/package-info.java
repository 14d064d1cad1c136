/// Control and delivery messages: records in CBOR, tolerant of what a newer peer adds
/// (`docs/protocol.md`, section 6).
/// Imports the JDK and Jackson.
@NullMarked
package io.penstock.codec.message;

import org.jspecify.annotations.NullMarked;
