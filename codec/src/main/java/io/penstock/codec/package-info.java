/// codec.
@NullMarked
package io.penstock.codec;

import org.jspecify.annotations.NullMarked;
