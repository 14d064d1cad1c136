package io.penstock.agent;

import io.penstock.agent.link.BrokerAddress;
import io.penstock.agent.link.LinkFailure;
import io.penstock.agent.link.LinkListener;
import io.penstock.codec.ErrorCode;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells people what the tunnels do: one calm line each, and the fingerprint on standard output.
final class Narrator implements LinkListener {
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final PrintStream out;
  private final Optional<String> expectedSite;
  private final IntConsumer end;

  /// @param end hears the exit code when the process has to end
  Narrator(PrintStream out, Optional<String> expectedSite, IntConsumer end) {
    this.out = out;
    this.expectedSite = expectedSite;
    this.end = end;
  }

  @Override
  public void pending(String agent, String site, String fingerprint) {
    out.println("fingerprint " + fingerprint);
    out.flush();
    LOG.info("{} waits for approval; the approver compares {}", agent, fingerprint);
    if (expectedSite.isPresent() && !expectedSite.get().equals(site)) {
      LOG.warn("agent.site is {}, the token put this agent at another one", expectedSite.get());
    }
  }

  @Override
  public void approved(String agent) {
    LOG.info("{} is approved", agent);
  }

  @Override
  public void admitted(int slot, BrokerAddress broker, long sessionEpoch) {
    LOG.info("tunnel {}: up, broker {}, session epoch {}", slot, broker, sessionEpoch);
  }

  @Override
  public void failed(int slot, LinkFailure failure, Duration nextTry) {
    LOG.warn(
        "tunnel {}: {} failed: {}; next try in {} s",
        slot,
        failure.stage().text(),
        failure.text(),
        seconds(nextTry));
  }

  @Override
  public void draining(int slot, Duration nextTry) {
    LOG.info("tunnel {}: its broker drains; a new one opens in {} s", slot, seconds(nextTry));
  }

  @Override
  public void refusedForGood(ErrorCode code, String text, boolean wiped) {
    LOG.error("refused for good: {}{}", text, wiped ? "" : "; the data directory is kept");
    if (code == ErrorCode.UNKNOWN_AGENT) {
      LOG.error(
          "the broker does not know this agent's keys, as after a restore from a backup that is"
              + " older than this agent's last restart: enroll it again, with a token of `penstock"
              + " ctl token create --agent NAME --reenroll` and an empty data directory"
              + " (docs/agent.md)");
    }
    end.accept(ExitCode.REFUSED_FOR_GOOD);
  }

  private static String seconds(Duration duration) {
    return String.format(Locale.ROOT, "%.1f", duration.toMillis() / 1000.0);
  }
}
