/// What a plugin's settings and secrets may be: one JSON Schema per plugin, the same for broker and
/// agent, with our two words in it (`writeOnly`, `destination`). May import the JDK, Jackson, the
/// schema validator, `codec.seal` for hashes, and `codec.exposure` with its messages for `allow`;
/// no keys, no clock, no sockets.
@NullMarked
package io.penstock.codec.schema;

import org.jspecify.annotations.NullMarked;
