/// The small interface of a plugin, the catalog of systems, and what of each is exposed. Imports
/// `agent.link` for where streams come from, `codec`, Jackson and Netty; plugins import this
/// package and never one another, and it imports none of them.
@NullMarked
package io.penstock.agent.plugin;

import org.jspecify.annotations.NullMarked;
