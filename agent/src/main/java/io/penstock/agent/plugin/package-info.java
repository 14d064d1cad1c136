/// The small interface of a plugin, and which of a system's methods and paths are exposed. Imports
/// `codec` and Jackson; plugins import this package and never one another.
@NullMarked
package io.penstock.agent.plugin;

import org.jspecify.annotations.NullMarked;
