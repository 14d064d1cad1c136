package io.penstock.broker.rotation;

import io.penstock.broker.agents.AgentKeyUpkeep;
import io.penstock.broker.agents.EnrollmentTokens;
import io.penstock.broker.keys.KeyState;
import io.penstock.broker.keys.KeyView;
import io.penstock.broker.store.KeyTable;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.SystemKeyUpkeep;
import io.penstock.codec.seal.DocumentType;
import io.penstock.codec.seal.SignedDocument;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// Why a replaced key cannot be given up yet.
final class Needs {
  /// A pending agent may come with its used token for as long again as a token lives.
  private static final Duration TOKENS_COME_BACK = EnrollmentTokens.MAX_TTL;

  /// A transaction, or a handshake, that began with the old key is over after this.
  private static final Duration UNDER_WAY = Duration.ofSeconds(30);

  private final AgentKeyUpkeep agents;
  private final SystemKeyUpkeep systems;
  private final WrappedFiles files;
  private final Duration accessTokenLife;
  private final Clock clock;
  private final KeyTable table = new KeyTable();

  Needs(
      AgentKeyUpkeep agents,
      SystemKeyUpkeep systems,
      WrappedFiles files,
      Duration accessTokenLife,
      Clock clock) {
    this.agents = agents;
    this.systems = systems;
    this.files = files;
    this.accessTokenLife = accessTokenLife;
    this.clock = clock;
  }

  /// Empty = nothing does, or it is no replaced key.
  List<String> of(Tx tx, KeyView key) {
    if (key.state() != KeyState.VERIFYING) {
      return List.of();
    }
    Instant replaced = key.changedAt().orElse(Instant.EPOCH);
    Instant settled = replaced.plus(UNDER_WAY);
    if (clock.instant().isBefore(settled)) {
      var all = new ArrayList<>(rows(tx, key, replaced));
      all.add("changes under way until " + settled);
      return all;
    }
    return rows(tx, key, replaced);
  }

  private List<String> rows(Tx tx, KeyView key, Instant replaced) {
    return switch (key.use()) {
      case RECORD -> agents.needsOfRecordKey(tx, key.kid());
      case CONFIGURATION -> systems.needsOfConfigurationKey(tx, key.kid());
      case KEK -> kek(tx);
      case JWT -> jwt(tx, replaced);
      case ENROLL_ROOT -> enrollRoot(tx, replaced);
      case CHECKPOINT -> checkpoint(tx, key.kid());
      // The node's certificate is made anew at once.
      case NODE_ISSUER, ROOT, ROW_MAC -> List.of();
    };
  }

  private List<String> checkpoint(Tx tx, String kid) {
    String header = SignedDocument.headerOf(DocumentType.AUDIT_CHECKPOINT, kid);
    return table.isNewestCheckpoint(tx, header)
        ? List.of("the newest audit checkpoint")
        : List.of();
  }

  private List<String> kek(Tx tx) {
    var all = new ArrayList<>(agents.needsOfOlderKek(tx));
    all.addAll(systems.needsOfOlderKek(tx));
    all.addAll(files.needsOfOlderKek());
    return all;
  }

  private List<String> jwt(Tx tx, Instant replaced) {
    var needs = new ArrayList<String>();
    Instant now = clock.instant();
    Instant last = replaced.plus(accessTokenLife);
    if (now.isBefore(last)) {
      needs.add("access tokens until " + last);
    }
    table
        .lastServiceToken(tx, replaced.plus(UNDER_WAY), now)
        .ifPresent(expires -> needs.add("service tokens until " + expires));
    return needs;
  }

  private List<String> enrollRoot(Tx tx, Instant replaced) {
    long tokens = table.enrollmentTokens(tx, replaced, clock.instant().minus(TOKENS_COME_BACK));
    return tokens > 0 ? List.of(tokens + " enrollment tokens") : List.of();
  }
}
