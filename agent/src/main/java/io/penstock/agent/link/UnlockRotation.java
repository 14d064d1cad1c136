package io.penstock.agent.link;

import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.identity.Identity;
import io.penstock.agent.identity.IdentityBundle;
import io.penstock.codec.message.ControlMessage.UnlockCommit;
import io.penstock.codec.message.ControlMessage.UnlockNext;
import io.penstock.codec.message.ControlMessage.UnlockStored;
import java.io.IOException;

/// The two phases in which the unlock secret is replaced, once per process (design: rotation of U).
/// A process that dies anywhere in here logs in again: with the current secret before the switch,
/// with the next one after it, and the broker knows both until one of them is used.
final class UnlockRotation {
  private final Identity identity;
  private final UnlockGate gate;
  private final Failpoint.Action failpoint;

  UnlockRotation(Identity identity, UnlockGate gate, Failpoint.Action failpoint) {
    this.identity = identity;
    this.gate = gate;
    this.failpoint = failpoint;
  }

  void rotate(Conversation conversation, IdentityBundle bundle)
      throws LinkFailure, InterruptedException {
    gate.rotating().lockInterruptibly();
    try {
      phases(conversation, identity.rotation(bundle));
    } catch (IOException disk) {
      throw LinkFailure.at(Stage.SESSION, "cannot store the next unlock secret: " + disk);
    } finally {
      gate.rotating().unlock();
    }
  }

  private void phases(Conversation conversation, Identity.Rotation next)
      throws LinkFailure, InterruptedException, IOException {
    failpoint.accept(Failpoint.UNLOCK_BEFORE_NEXT_WRITTEN);
    next.stage();
    failpoint.accept(Failpoint.UNLOCK_AFTER_NEXT_WRITTEN);
    conversation
        .session()
        .send(new UnlockNext(next.unlockEpoch(), next.devKey().bytes(), next.innerBundle()));
    failpoint.accept(Failpoint.UNLOCK_AFTER_NEXT_SENT);
    // A failure here leaves the staged file behind: the next rotation or start replaces it.
    requireStored(conversation.receive(UnlockStored.class), next);
    failpoint.accept(Failpoint.UNLOCK_AFTER_STORED);
    next.switchTo();
    failpoint.accept(Failpoint.UNLOCK_AFTER_SWITCH);
    conversation.session().send(new UnlockCommit(next.unlockEpoch()));
    failpoint.accept(Failpoint.UNLOCK_AFTER_COMMIT);
  }

  private static void requireStored(UnlockStored stored, Identity.Rotation next)
      throws LinkFailure {
    if (stored.unlockEpoch() != next.unlockEpoch()) {
      throw LinkFailure.at(
          Stage.SESSION,
          "expected UNLOCK_STORED of epoch "
              + next.unlockEpoch()
              + ", found "
              + stored.unlockEpoch());
    }
  }
}
