package io.penstock.agent.config;

import io.penstock.agent.identity.IdentityException;
import io.penstock.agent.identity.StateFile;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// The [AppliedState] in memory and on disk. Changed by one thread, asked by any.
final class StateKeeper {
  private final StateFile file;
  private final ReentrantLock writing = new ReentrantLock();
  private volatile AppliedState state;
  private AppliedState saved;
  private boolean closed;

  private StateKeeper(StateFile file, AppliedState state) {
    this.file = file;
    this.state = state;
    saved = state;
  }

  /// Throws [IdentityException] for a file that this agent did not write: nobody may go on as if
  /// nothing had ever been applied.
  static StateKeeper open(StateFile file) throws IOException, IdentityException {
    Optional<byte[]> content = file.read();
    return new StateKeeper(
        file, content.isPresent() ? AppliedState.fromJson(content.get()) : AppliedState.nothing());
  }

  AppliedState state() {
    return state;
  }

  void change(AppliedState next) {
    state = next;
  }

  /// What has changed is on disk when this returns. What could not be saved is tried again by the
  /// next call.
  void save() throws IOException {
    writing.lock();
    try {
      AppliedState now = state;
      if (!closed && !now.equals(saved)) {
        file.write(now.toJson());
        saved = now;
      }
    } finally {
      writing.unlock();
    }
  }

  /// Nothing is written any more: the directory is about to be wiped.
  void close() {
    writing.lock();
    try {
      closed = true;
    } finally {
      writing.unlock();
    }
  }
}
