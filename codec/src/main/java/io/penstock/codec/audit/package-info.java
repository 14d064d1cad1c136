/// The audit trail's proof, shared by whoever makes it and whoever checks it: what a record is as
/// bytes, how records hang together, what a checkpoint says, and an export's lines. Pure functions;
/// may import the JDK, Jackson and `codec.seal`; no clock, no files and no database.
@NullMarked
package io.penstock.codec.audit;

import org.jspecify.annotations.NullMarked;
