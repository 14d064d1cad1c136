package io.penstock.broker.store;

import io.penstock.broker.store.AlarmTable.Severity;
import java.util.Arrays;
import java.util.Optional;

/// Every kind of alarm there is: how bad it is, what it is about, what to do next, and whether it
/// clears itself. `docs/alarms.md` shows the same. Severities are the second seed's: critical is a
/// breach under way, high a possible one, medium a wrong setting or a service that suffers, low a
/// habit that will be one.
public enum AlarmKind {
  AGENT_OFFLINE(
      Severity.HIGH,
      About.AGENT,
      true,
      "An agent is offline",
      "See whether its machine and its way to the broker are up; `penstock doctor` there names the"
          + " stage that fails."),
  AGENT_FLAPPING(
      Severity.MEDIUM,
      About.AGENT,
      true,
      "An agent reconnects again and again",
      "Look at the reasons in its connection log, then at its network, its proxy, its memory and"
          + " its clock."),
  AGENT_CLONED(
      Severity.CRITICAL,
      About.AGENT,
      true,
      "Two processes use one agent's secret",
      "Find the copy of its disk. Release the agent with its fingerprint, or revoke it and enroll"
          + " it anew."),
  IDENTITY_MISMATCH(
      Severity.HIGH,
      About.AGENT,
      false,
      "An agent's identity did not sign",
      "Somebody has its unlock secret and not its identity. Revoke the agent unless you know why."),
  TOKEN_REUSED(
      Severity.HIGH,
      About.ENROLLMENT_TOKEN,
      false,
      "An enrollment token was used twice",
      "Somebody else has the token. Compare the fingerprint before you approve, reject what you do"
          + " not know, block the address."),
  TOKEN_SECRET_WRONG(
      Severity.MEDIUM,
      About.ENROLLMENT_TOKEN,
      false,
      "An enrollment knew a token's id, not its secret",
      "Delete the token and make another; block the address if it comes again."),
  CONFIGURATION_REFUSED(
      Severity.MEDIUM,
      About.SYSTEM,
      true,
      "An agent refuses a configuration",
      "Read the reason, correct the system's settings, deploy again."),
  CONFIGURATION_ROLLBACK(
      Severity.HIGH,
      About.SYSTEM,
      true,
      "An agent was sent an older configuration",
      "The database may have been set back. Deploy again; if that was no restore of yours, find out"
          + " who had access to it."),
  CONFIGURATION_BAD_SIGNATURE(
      Severity.HIGH,
      About.SYSTEM,
      true,
      "A configuration reached an agent changed or unsigned",
      "Somebody changed it between the one who sealed it and the agent. Deploy again, and find out"
          + " who had access."),
  HEAD_STALE(
      Severity.HIGH,
      About.AGENT,
      true,
      "An agent's head manifest has expired",
      "The broker could not sign it anew: its log says why. The agent keeps running what it has."),
  BAD_RECEIPT_SIGNATURE(
      Severity.HIGH,
      About.AGENT,
      false,
      "A receipt is not signed by its agent",
      "Somebody speaks in the agent's place. Revoke it unless you know why."),
  FOREIGN_WRAP(
      Severity.HIGH,
      About.AGENT,
      false,
      "An agent wanted to replace another's wrap",
      "No honest agent does. Revoke it unless you know why."),
  DELIVERY_BACKLOG(
      Severity.MEDIUM,
      About.AGENT,
      true,
      "Messages wait too long for an agent",
      "If it is offline, bring it back; if it is online, its log says what it does not apply."),
  LATENCY_OBJECTIVE(
      Severity.MEDIUM,
      About.ROUTE,
      true,
      "A system is slower than its objective",
      "The hop times of its invocations say whether broker, tunnel, agent or system is slow."),
  SIGN_IN_AFTER_FAILURES(
      Severity.CRITICAL,
      About.USER,
      false,
      "Somebody got in after many wrong passwords",
      "Ask the person. If it was not them: disable the user, block the address, read in the audit"
          + " trail what was done."),
  SIGN_IN_FAILURES_OF_ADDRESS(
      Severity.HIGH,
      About.ADDRESS,
      true,
      "Many failed sign-ins from an unknown address",
      "Block the address."),
  SIGN_IN_FAILURES_OF_KNOWN_ADDRESS(
      Severity.MEDIUM,
      About.ADDRESS,
      true,
      "Many failed sign-ins from an address that people use",
      "Look for a client with an old password or a machine that was taken over, before you block"
          + " it."),
  SIGN_IN_FAILURES_OF_ACCOUNT(
      Severity.LOW,
      About.USER,
      true,
      "Many failed sign-ins of one user",
      "Ask the person; give them a new password if somebody else is guessing."),
  REFRESH_TOKEN_REUSED(
      Severity.HIGH,
      About.USER,
      false,
      "A refresh token was used twice",
      "One of its two holders is a thief; the session is ended. Set a new password, look for the"
          + " leak."),
  DATABASE_TAMPERED(
      Severity.CRITICAL,
      About.ANYTHING,
      false,
      "A row was changed behind the broker's back",
      "Find out who has access to the database; write what was changed anew through the API."),
  REVOCATIONS_TAMPERED(
      Severity.CRITICAL,
      About.BROKER,
      false,
      "The list of the revoked was changed or set back",
      "It was put right. Find out who has access to the database, or which backup was restored."),
  AUDIT_CHAIN_BROKEN(
      Severity.CRITICAL,
      About.BROKER,
      false,
      "The audit trail contradicts what was sealed",
      "`ctl audit verify` names the place; `docs/audit.md` tells how to go on."),
  AUDIT_FOREIGN_RECORD(
      Severity.CRITICAL,
      About.BROKER,
      false,
      "The audit trail holds a record that is not the broker's",
      "`ctl audit verify` names it; find out who has access to the database."),
  AUDIT_SEALING_HELD_UP(
      Severity.HIGH,
      About.BROKER,
      true,
      "The audit trail is not sealed: a transaction is open",
      "End the oldest transaction in `pg_stat_activity` or `pg_prepared_xacts`."),
  AUDIT_CHECKPOINT_NOT_KEPT(
      Severity.HIGH,
      About.BROKER,
      true,
      "The newest audit checkpoint cannot be kept",
      "Make room in the data directory, or make it writable."),
  AUDIT_KAFKA_BEHIND(
      Severity.HIGH,
      About.BROKER,
      true,
      "The audit trail does not arrive in Kafka",
      "The message says what Kafka answers. Nothing is lost meanwhile; `docs/kafka.md`."),
  AUDIT_KAFKA_TOPIC(
      Severity.MEDIUM,
      About.BROKER,
      true,
      "The Kafka topic of the audit trail would lose records",
      "Give the topic the settings that the message expects; `docs/kafka.md`."),
  AUDIT_KAFKA_LOST(
      Severity.CRITICAL,
      About.BROKER,
      false,
      "Audit records were pruned before they were in Kafka",
      "Mend the way to Kafka; what is missing there may be in an export or a backup."),
  AUDIT_LOG_UNGUARDED(
      Severity.HIGH,
      About.BROKER,
      false,
      "A guard of the audit trail's table is gone",
      "Put the constraint or trigger that the message names back; find out who took it away."),
  CERTIFICATE_EXPIRING(
      Severity.HIGH,
      About.NODE,
      true,
      "A certificate of the public port expires soon",
      "Put a new one in `tls.certificate` and start the broker anew. One of the development CA is"
          + " made at every start."),
  KEYSET_EXPIRING(
      Severity.HIGH,
      About.NODE,
      true,
      "The signed keyset expires soon",
      "The broker renews it by itself 30 days before: its log says what keeps it from that."),
  DATABASE_AWAY(
      Severity.CRITICAL,
      About.NODE,
      true,
      "Postgres does not answer, or takes no writes",
      "Look at the Postgres server, its disk and the way to it. Meanwhile nothing can be changed"
          + " and nobody new gets in."),
  DISK_LOW(
      Severity.HIGH,
      About.NODE,
      true,
      "The disk of the data directory is nearly full",
      "Make room. A full disk stops the embedded Postgres."),
  NOTICES_UNDELIVERED(
      Severity.MEDIUM,
      About.CHANNEL,
      true,
      "Notices of alarms do not arrive",
      "The message says what the webhook or mail server answered; look at it and at its settings.");

  /// What an alarm of a kind is about, and with that how its subject is written.
  public enum About {
    /// `press-1`
    AGENT(""),
    /// `press-1/erp`
    SYSTEM(""),
    /// `user ada@example.org`
    USER("user "),
    /// `address 203.0.113.45`
    ADDRESS("address "),
    /// The token's id in hexadecimal.
    ENROLLMENT_TOKEN(""),
    /// `route hamburg/erp`: a system of a site, whichever agent serves it.
    ROUTE("route "),
    /// `node broker-1`
    NODE("node "),
    /// `channel webhook ops`
    CHANNEL("channel "),
    /// A part of the broker, such as `audit trail`.
    BROKER(""),
    ANYTHING("");

    private final String prefix;

    About(String prefix) {
      this.prefix = prefix;
    }

    public String subject(String name) {
      return prefix + name;
    }

    /// What stands in `subject` after the word that says what it is.
    public String name(String subject) {
      return subject.startsWith(prefix) ? subject.substring(prefix.length()) : subject;
    }

    public String text() {
      return Stored.text(this);
    }
  }

  private final Severity severity;
  private final About about;
  private final boolean clearsItself;
  private final String title;
  private final String next;

  AlarmKind(Severity severity, About about, boolean clearsItself, String title, String next) {
    this.severity = severity;
    this.about = about;
    this.clearsItself = clearsItself;
    this.title = title;
    this.next = next;
  }

  /// As rows, the API and the documentation write it.
  public String code() {
    return Stored.text(this);
  }

  /// Empty for a kind of another version.
  public static Optional<AlarmKind> of(String code) {
    return Arrays.stream(values()).filter(kind -> kind.code().equals(code)).findFirst();
  }

  public Severity severity() {
    return severity;
  }

  public About about() {
    return about;
  }

  /// Or does it stay until somebody acknowledges it?
  public boolean clearsItself() {
    return clearsItself;
  }

  public String title() {
    return title;
  }

  /// What to do.
  public String next() {
    return next;
  }
}
