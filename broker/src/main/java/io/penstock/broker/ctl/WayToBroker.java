package io.penstock.broker.ctl;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/// Walks the way to a broker stage by stage, DNS, TCP, TLS, and says at which one it ends and why.
final class WayToBroker {
  private static final int TIMEOUT_MS = 10_000;
  private static final Duration CERTIFICATE_SOON_OVER = Duration.ofDays(14);

  private final URI url;
  private final Optional<String> caPem;
  private final Clock clock;

  WayToBroker(URI url, Optional<String> caPem, Clock clock) {
    this.url = url;
    this.caPem = caPem;
    this.clock = clock;
  }

  /// The stages in their order, up to the first that fails.
  List<Finding> walk() {
    List<Finding> findings = new ArrayList<>();
    for (Stage stage : List.<Stage>of(this::dns, this::tcp, this::tls)) {
      Finding finding = stage.look();
      findings.add(finding);
      if (finding.failed()) {
        break;
      }
    }
    return findings;
  }

  private interface Stage {
    Finding look();
  }

  private Finding dns() {
    String expected = "an address for " + host();
    try {
      InetAddress[] addresses = InetAddress.getAllByName(host());
      return Finding.ok("DNS", expected, addresses[0].getHostAddress());
    } catch (UnknownHostException e) {
      return Finding.fail(
          "DNS", expected, "none", "check the name in the URL and this machine's resolver");
    }
  }

  private Finding tcp() {
    String expected = "a connection to " + host() + ":" + port();
    try (Socket _ = connect()) {
      return Finding.ok("TCP", expected, "connected");
    } catch (SocketTimeoutException e) {
      return Finding.fail(
          "TCP",
          expected,
          "no answer within " + TIMEOUT_MS / 1000 + " s",
          "check firewalls between here and there");
    } catch (ConnectException e) {
      return Finding.fail(
          "TCP",
          expected,
          "connection refused",
          "check that the broker runs and the port is right");
    } catch (IOException e) {
      return Finding.fail("TCP", expected, String.valueOf(e.getMessage()), "check the network");
    }
  }

  private Finding tls() {
    String expected =
        "TLS 1.3 with a certificate for "
            + host()
            + " from "
            + (caPem.isPresent() ? "the given CA" : "a public CA");
    try (SSLSocket socket = secure(Trust.context(caPem), true)) {
      return validity(expected, socket);
    } catch (SocketTimeoutException e) {
      return Finding.fail(
          "TLS",
          expected,
          "silence",
          "something other than a broker listens there, or a proxy is in the way");
    } catch (SSLException e) {
      return Finding.fail(
          "TLS",
          expected,
          shown(e),
          "give the broker's CA with --ca, and the host name its certificate is for");
    } catch (IOException e) {
      return Finding.fail(
          "TLS",
          expected,
          String.valueOf(e.getMessage()),
          "something other than a broker listens there, or a proxy is in the way");
    }
  }

  private Finding validity(String expected, SSLSocket socket) throws IOException {
    X509Certificate leaf = (X509Certificate) socket.getSession().getPeerCertificates()[0];
    Instant end = leaf.getNotAfter().toInstant();
    String found =
        socket.getSession().getProtocol()
            + ", "
            + leaf.getSubjectX500Principal()
            + ", valid until "
            + end;
    if (end.isBefore(clock.instant().plus(CERTIFICATE_SOON_OVER))) {
      return Finding.warn("TLS", expected, found, "renew the certificate");
    }
    return Finding.ok("TLS", expected, found);
  }

  /// The refusal's own words, and the certificate that was shown, if one can be had.
  private String shown(SSLException refusal) {
    String reason = String.valueOf(refusal.getMessage());
    try (SSLSocket socket = secure(Trust.looking(), false)) {
      X509Certificate leaf = (X509Certificate) socket.getSession().getPeerCertificates()[0];
      return "%s (shown: %s by %s, valid %s to %s)"
          .formatted(
              reason,
              leaf.getSubjectX500Principal(),
              leaf.getIssuerX500Principal(),
              leaf.getNotBefore().toInstant(),
              leaf.getNotAfter().toInstant());
    } catch (IOException noCertificate) {
      return reason;
    }
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket();
    try {
      socket.connect(new InetSocketAddress(host(), port()), TIMEOUT_MS);
      socket.setSoTimeout(TIMEOUT_MS);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /// A socket after its handshake; the caller closes it.
  SSLSocket secure() throws IOException {
    return secure(Trust.context(caPem), true);
  }

  private SSLSocket secure(SSLContext context, boolean checkHost) throws IOException {
    Socket plain = connect();
    try {
      SSLSocket socket =
          (SSLSocket) context.getSocketFactory().createSocket(plain, host(), port(), true);
      if (checkHost) {
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
      }
      socket.startHandshake();
      return socket;
    } catch (IOException e) {
      plain.close();
      throw e;
    }
  }

  private String host() {
    String host = url.getHost();
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  private int port() {
    return url.getPort() == -1 ? 443 : url.getPort();
  }
}
