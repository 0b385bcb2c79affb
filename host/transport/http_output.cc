#include "transport/http_output.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/log.h"

namespace collet::transport {
namespace {

constexpr std::size_t kGatheredBytesMax = 64u << 10;  // of answers to pipelined requests, before they are sent
constexpr std::size_t kEncryptedBytes = 256u << 10;   // sent at a time
constexpr std::size_t kRecordBytes = 16u << 10;       // of TLS
constexpr std::size_t kBacklogPieces = 4;             // written at a time; libuv copies more to the heap

uv_buf_t buffer(std::string_view bytes) {
  return uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
}

}  // namespace

void HttpOutput::put(std::span<const std::string_view> pieces, std::size_t bytes) {
  if (bytes > limits::kHttpCopyBytesMax) return send(pieces);
  std::string& out = gathered();
  for (const std::string_view piece : pieces) out.append(piece);
}

void HttpOutput::flush() {
  const std::string* out = buffer_.release(*this);
  if (!out || out->empty() || socket_.is_closing()) return;
  if (socket_.tls()) return encrypt_and_send(*out);
  const uv_buf_t only = buffer(*out);
  transmit({&only, 1});
}

void HttpOutput::flush_if_full() {
  if (gathered().size() > kGatheredBytesMax) flush();
}

// Sends what has been gathered and then the pieces, without copying them first.
void HttpOutput::send(std::span<const std::string_view> pieces) {
  if (socket_.tls()) {
    flush();
    for (std::string_view piece : pieces) {
      for (; !piece.empty(); piece.remove_prefix(std::min(piece.size(), kEncryptedBytes))) {
        if (socket_.is_closing()) return;
        encrypt_and_send(piece.substr(0, kEncryptedBytes));
      }
    }
    return;
  }
  std::vector<uv_buf_t> buffers;
  buffers.reserve(pieces.size() + 1);
  buffers.push_back(buffer(gathered()));
  for (const std::string_view piece : pieces) buffers.push_back(buffer(piece));
  buffer_.release(*this);
  transmit(buffers);
}

void HttpOutput::send_encrypted() { encrypt_and_send({}); }

// A session keeps room for all that it has been given at once, and wipes it when that is taken: so it is given one record.
void HttpOutput::encrypt_and_send(std::string_view plaintext) {
  if (socket_.is_closing()) return;
  std::string& encrypted = buffer_.encrypted;
  encrypted.clear();
  for (; !plaintext.empty(); plaintext.remove_prefix(std::min(plaintext.size(), kRecordBytes))) {
    socket_.tls()->encrypt(plaintext.substr(0, kRecordBytes));
    socket_.tls()->take_output(encrypted);
  }
  socket_.tls()->take_output(encrypted);
  if (encrypted.empty()) return;
  const uv_buf_t only = buffer(encrypted);
  transmit({&only, 1});
}

void HttpOutput::end_tls() {
  if (!socket_.tls()) return;
  socket_.tls()->close();
  send_encrypted();
}

void HttpOutput::transmit(std::span<const uv_buf_t> buffers) {
  std::size_t sent = 0;
  if (!backlog_) {
    const int written = uv_try_write(socket_.stream(), buffers.data(), static_cast<unsigned>(buffers.size()));
    if (written < 0 && written != UV_EAGAIN) return socket_.owner().on_broken();
    sent = static_cast<std::size_t>(std::max(written, 0));
  }
  try {
    keep_unsent(buffers, sent);
  } catch (const std::bad_alloc&) {
    log::error("out of memory: a connection is closed, whose client does not read as fast as it is answered");
    return socket_.owner().on_broken();
  }
  if (backlog_ && backlog_->writing == 0) write_backlog();
}

void HttpOutput::keep_unsent(std::span<const uv_buf_t> buffers, std::size_t sent) {
  for (const uv_buf_t& piece : buffers) {
    untaken_bytes_ += piece.len;
    const std::size_t skipped = std::min<std::size_t>(sent, piece.len);
    sent -= skipped;
    if (skipped == piece.len) continue;
    if (!backlog_) backlog_ = std::make_unique<Backlog>();
    backlog_->bytes.append({piece.base + skipped, piece.len - skipped});
  }
}

void HttpOutput::write_backlog() {
  std::array<std::string_view, kBacklogPieces> pieces;
  std::array<uv_buf_t, kBacklogPieces> buffers;
  const std::size_t count = backlog_->bytes.front(pieces);
  for (std::size_t i = 0; i < count; ++i) {
    buffers[i] = buffer(pieces[i]);
    backlog_->writing += pieces[i].size();
  }
  backlog_->request.data = this;
  const int error =
      uv_write(&backlog_->request, socket_.stream(), buffers.data(), static_cast<unsigned>(count),
               [](uv_write_t* request, int status) { static_cast<HttpOutput*>(request->data)->backlog_written(status); });
  if (error != 0) socket_.owner().on_broken();
}

void HttpOutput::backlog_written(int status) {
  if (socket_.is_closing()) return;
  if (status < 0) return socket_.owner().on_broken();
  backlog_->bytes.drop(std::exchange(backlog_->writing, 0));
  if (!backlog_->bytes.empty()) return write_backlog();
  backlog_.reset();
  socket_.owner().on_sent();
}

std::size_t HttpOutput::waiting_bytes() const {
  if (!backlog_) return 0;
  const std::size_t queued = uv_stream_get_write_queue_size(socket_.stream());
  return backlog_->bytes.size() - backlog_->writing + queued;
}

bool HttpOutput::took_more() {
  const std::size_t waiting = waiting_bytes();
  return std::exchange(untaken_bytes_, waiting) != waiting;
}

}  // namespace collet::transport
