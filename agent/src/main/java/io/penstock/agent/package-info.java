/// The agent's process: command line, configuration file, data directory, and the wiring of all
/// that follows. Imports every other package of the agent; no other package imports it.
@NullMarked
package io.penstock.agent;

import org.jspecify.annotations.NullMarked;
