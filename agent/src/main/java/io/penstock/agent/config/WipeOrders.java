package io.penstock.agent.config;

import io.penstock.agent.link.ConfigurationLine;
import io.penstock.codec.message.DeliveryMessage.Instruction;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.WipeOrder;
import java.util.Optional;

/// Whether an instruction is meant for this agent as it is enrolled now, and, of a wipe, whether
/// the owner's record key ordered it (`docs/sealed-configuration.md`, section 8).
final class WipeOrders {
  private WipeOrders() {}

  /// The result that says why the agent does not follow; empty = it does.
  ///
  /// An agent that was approved while it was away may not know its generation yet: it follows what
  /// does no harm, and does not wipe.
  ///
  /// @param keyset the newest that judges
  static Optional<String> refusal(ConfigurationLine line, Keyset keyset, Instruction instruction) {
    return refusal(line.agent(), line.generation(), keyset, instruction)
        .map(DeliveryReceipt::refusal);
  }

  private static Optional<String> refusal(
      String agent, long generation, Keyset keyset, Instruction instruction) {
    if (generation != 0 && instruction.generation() != generation) {
      return Optional.of(
          "expected an instruction for generation "
              + generation
              + ", found "
              + instruction.generation());
    }
    if (instruction.kind() != InstructionKind.WIPE) {
      return Optional.empty();
    }
    String order = instruction.order();
    if (order == null) {
      return Optional.of("expected a signed order to wipe, found none");
    }
    if (generation == 0) {
      return Optional.of("this agent does not know its generation yet");
    }
    try {
      WipeOrder.verify(order, keyset, agent, generation, instruction.id());
      return Optional.empty();
    } catch (SealException invalid) {
      return Optional.of("the order to wipe does not hold: " + invalid.getMessage());
    }
  }
}
