/// The broker's configuration, checked whole before anything starts, and the data directory that
/// holds its state. May import the JDK and Jackson; nothing else of the broker.
@NullMarked
package io.penstock.broker.config;

import org.jspecify.annotations.NullMarked;
