package io.penstock.agent.link;

import io.penstock.agent.identity.Identity;
import io.penstock.agent.identity.IdentityBundle;
import io.penstock.agent.identity.IdentityException;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.OwnerKeys;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.message.ControlMessage.StateReport;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.SigningKey;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;

/// One admitted tunnel, as configuration needs it: whose it is, the keys that judge and open what
/// comes on it, and the way back. Any thread.
public final class ConfigurationLine {
  private final Session session;
  private final Identity identity;
  private final OwnerTrust owner;
  private final IdentityBundle bundle;
  private final IdentityReplacement replacement;

  ConfigurationLine(
      Session session,
      Identity identity,
      OwnerTrust owner,
      IdentityBundle bundle,
      IdentityReplacement replacement) {
    this.session = session;
    this.identity = identity;
    this.owner = owner;
    this.bundle = bundle;
    this.replacement = replacement;
  }

  public String agent() {
    return identity.credentials().agent();
  }

  /// 0 = this agent was approved while it was away and does not know yet.
  public long generation() {
    return identity.credentials().generation();
  }

  /// A signed document names the generation that [#generation] did not know.
  public void learned(long generation) throws IOException {
    if (generation() == 0) {
      identity.approved(Math.toIntExact(generation));
    }
  }

  /// The owner's keys of this handshake, or newer ones that this tunnel was shown.
  public Keyset keyset() {
    return owner.keyset();
  }

  /// The broker shows newer keys; throws when they are not the owner's. Writes to disk.
  public void learn(OwnerKeys keys) throws IdentityException, IOException {
    owner.learn(keys);
  }

  /// Open what was sealed to this agent, newest first.
  public List<SealingKey> sealing() {
    return identity.sealingKeys();
  }

  /// Signs receipts: the key whose READY admitted this tunnel, as long as it stands.
  public SigningKey signing() {
    return bundle.signing();
  }

  /// By the broker's clock.
  public Instant serverTime() {
    return owner.serverTime().now();
  }

  public boolean isOpen() {
    return session.isOpen();
  }

  /// What is served and what runs, in this order (`docs/protocol.md`, section 6).
  public void announce(EffectiveRules rules, StateReport report) {
    session.serve(rules);
    session.send(report);
  }

  /// Owes no answer.
  public void rewrapped(Rewrapped told) {
    session.send(told);
  }

  public void receipt(long sequence, DeliveryReceipt receipt) {
    session.receipt(sequence, receipt);
  }

  /// One version's document, on a stream of its own. Blocks. Empty = the broker has none for this
  /// agent.
  public Optional<ConfigurationDocument> fetch(String system, long version, Duration within)
      throws LinkFailure, InterruptedException {
    try {
      return session.fetch(system, version, within).get();
    } catch (ExecutionException broken) {
      throw broken.getCause() instanceof LinkFailure failure
          ? failure
          : LinkFailure.at(Stage.SESSION, "the document does not come");
    }
  }

  /// Gives this agent new identity keys. Blocks, at most twice `within`. The broker then drains all
  /// tunnels, and those that follow carry the new keys. Once for each instruction, also across a
  /// restart.
  ///
  /// @param instruction its id
  /// @return empty when the new keys are in force, else why they are not, or may not be
  public Optional<String> replaceIdentity(String instruction, Duration within)
      throws InterruptedException {
    return replacement.replace(session, bundle, instruction, within);
  }

  /// Closes this tunnel; its slot dials anew.
  public void reconnect() {
    session.close(ErrorCode.SHUTDOWN, "asked to reconnect");
  }

  /// The broker asked to end this agent for good: the slot wipes and gives up, as after a
  /// revocation.
  public void wipe() {
    session.wipe();
  }

  @Override
  public String toString() {
    return "ConfigurationLine[" + identity.agent().orElse("") + "]";
  }
}
