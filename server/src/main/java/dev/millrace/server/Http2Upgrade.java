// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.json.JsonWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Settings;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.List;

/// The two ways from HTTP/1.1 to HTTP/2 on a connection without encryption.
///
/// A client that knows what the server speaks begins with the preface, whose first part reads as a request of HTTP/1.1
/// and is taken for one until its end: so nobody else's first bytes have to be looked at for it. One that does not
/// know asks in its first request, by `Upgrade: h2c`.
///
/// Threads: the connection's event loop.
final class Http2Upgrade {
    private static final byte[] PREFACE = JsonWriter.ascii("PRI * HTTP/2.0\r\n\r\n");
    private static final byte[] SWITCHING =
            JsonWriter.ascii("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    private static final String SETTINGS = "HTTP2-Settings";
    private static final String H2C = "h2c";
    private static final int SETTING_BYTES = 6;

    private Http2Upgrade() {}

    /// Whether these are the first bytes of the preface.
    static boolean isPreface(HttpRequest request) {
        return request.protocolVersion().majorVersion() == 2
                && request.method().name().equals("PRI")
                && request.uri().equals("*")
                && request.headers().isEmpty();
    }

    /// Whether a request asks to go on in HTTP/2, and says all that is needed for it.
    static boolean isWanted(HttpRequest request) {
        return request.headers().containsValue(HttpHeaderNames.UPGRADE, H2C, true)
                && request.headers().containsValue(HttpHeaderNames.CONNECTION, HttpHeaderNames.UPGRADE, true)
                && request.headers().containsValue(HttpHeaderNames.CONNECTION, SETTINGS, true)
                && settings(request) != null;
    }

    /// The client's settings; null if they cannot be read.
    private static Http2Settings settings(HttpRequest request) {
        List<String> texts = request.headers().getAll(SETTINGS);
        if (texts.size() != 1) {
            return null;
        }
        try {
            ByteBuffer bytes = ByteBuffer.wrap(Base64.getUrlDecoder().decode(texts.getFirst()));
            Http2Settings settings = new Http2Settings();
            while (bytes.remaining() >= SETTING_BYTES) {
                char id = bytes.getChar();
                settings.put(id, Long.valueOf(Integer.toUnsignedLong(bytes.getInt())));
            }
            return bytes.hasRemaining() ? null : settings;
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    /// Goes on in HTTP/2 behind the first part of its preface.
    static void afterPreface(Http1Connection before) {
        ChannelPipeline pipeline = before.context().pipeline();
        ChannelHandlerContext decoder = pipeline.context(RequestDecoder.class);
        new Http2Connection(before.loop, before.endpoints, before.surplus).addTo(pipeline);
        pipeline.remove(before);
        decoder.fireChannelRead(Unpooled.wrappedBuffer(PREFACE));
        pipeline.remove(decoder.handler());
    }

    /// Goes on in HTTP/2 behind a request that asked for it. It is answered in HTTP/2.
    ///
    /// @param body is read before this returns
    static void after(Http1Connection before, HttpRequest request, ByteBuf body) {
        ChannelHandlerContext context = before.context();
        ChannelPipeline pipeline = context.pipeline();
        var _ = context.write(Unpooled.wrappedBuffer(SWITCHING), context.voidPromise());
        Http2Connection connection = new Http2Connection(before.loop, before.endpoints, before.surplus);
        connection.addTo(pipeline);
        try {
            connection.upgraded(settings(request), request, body);
        } catch (Http2Exception _) {
            // The settings were checked as they were read.
            connection.close();
        }
        pipeline.remove(before);
        pipeline.remove(RequestDecoder.class);
    }
}
