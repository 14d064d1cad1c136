package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealedSecrets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// Who can open the secrets of a version, in the operator's words. Which key is the recovery key,
/// only this operator's pin tells: the broker knows the agent's and the ids of the rest.
record SealedTo(List<Recipient> recipients) {
  static final SealedTo NOBODY = new SealedTo(List.of());

  enum Holder {
    AGENT("agent"),
    RECOVERY("recovery"),
    OTHER("other");

    private final String text;

    Holder(String text) {
      this.text = text;
    }
  }

  record Recipient(String keyId, Holder holder) {
    private String words() {
      return switch (holder) {
        case AGENT -> "the agent's key " + keyId;
        case RECOVERY -> "the recovery key " + keyId;
        case OTHER -> "another key " + keyId;
      };
    }
  }

  SealedTo {
    recipients = List.copyOf(recipients);
  }

  /// What was sealed here.
  static SealedTo of(SealedSecrets sealed, Octets agentsKeyId, Optional<RecoveryPublicKey> pinned) {
    return new SealedTo(
        sealed.wraps().stream()
            .map(SealedSecrets.Wrap::recipient)
            .map(id -> recipient(id.base64Url(), id.equals(agentsKeyId), pinned))
            .toList());
  }

  /// What the broker says of a version.
  static SealedTo of(JsonNode answer, Optional<RecoveryPublicKey> pinned) {
    var recipients = new ArrayList<Recipient>();
    answer
        .path("recipients")
        .forEach(
            each ->
                recipients.add(
                    recipient(
                        each.path("key_id").asText(), each.path("of_agent").asBoolean(), pinned)));
    return new SealedTo(recipients);
  }

  private static Recipient recipient(
      String keyId, boolean ofAgent, Optional<RecoveryPublicKey> pinned) {
    boolean ofOwner = pinned.filter(key -> key.sha256().base64Url().equals(keyId)).isPresent();
    return new Recipient(keyId, ofOwner ? Holder.RECOVERY : ofAgent ? Holder.AGENT : Holder.OTHER);
  }

  boolean isEmpty() {
    return recipients.isEmpty();
  }

  boolean has(Holder holder) {
    return recipients.stream().anyMatch(recipient -> recipient.holder() == holder);
  }

  /// Empty, or to be appended to a sentence.
  String words() {
    if (isEmpty()) {
      return "";
    }
    return "; sealed to "
        + recipients.stream().map(Recipient::words).collect(Collectors.joining(" and "));
  }

  List<String> lines() {
    return recipients.stream().map(Recipient::words).toList();
  }

  /// The broker's answer with `sealed_to`.
  JsonNode addedTo(JsonNode answer) {
    if (isEmpty() || !(answer instanceof ObjectNode object)) {
      return answer;
    }
    ObjectNode more = object.deepCopy();
    ArrayNode all = more.putArray("sealed_to");
    recipients.forEach(
        each -> all.addObject().put("key_id", each.keyId()).put("holder", each.holder().text));
    return more;
  }
}
