/// The broker process: reads its configuration, wires the features by hand, starts and drains them.
/// The only package that sees all others.
@NullMarked
package io.penstock.broker;

import org.jspecify.annotations.NullMarked;
