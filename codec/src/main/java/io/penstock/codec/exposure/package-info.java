/// Exposure rules: which methods and paths of a system may be invoked. Deny by default; the broker
/// refuses early by them, the agent decides by them.
/// Imports `codec.message` for the shape in which rules travel.
@NullMarked
package io.penstock.codec.exposure;

import org.jspecify.annotations.NullMarked;
