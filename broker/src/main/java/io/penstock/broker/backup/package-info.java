/// Backup and restore (`docs/backup.md`): the sealed file, what goes into it and how it comes back.
/// May import `codec.seal`, `broker.config`, `broker.keys`, `broker.store`, `broker.audit` and
/// `broker.access`'s `Actor`; no routes, no SQL of its own.
@NullMarked
package io.penstock.broker.backup;

import org.jspecify.annotations.NullMarked;
