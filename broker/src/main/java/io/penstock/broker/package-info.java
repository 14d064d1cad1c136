/// broker.
@NullMarked
package io.penstock.broker;

import org.jspecify.annotations.NullMarked;
