#include "eval/sqlite.h"

#include <sqlite3.h>
#include <sys/resource.h>

#include <system_error>

#include "formats/error.h"

namespace swinzoo::eval {
namespace {

constexpr int kBusyMs = 60 * 1000;

// Whether files of this process may not grow without end (`ulimit -f`). SQLite says of a write past that only
// that it failed, and forgets errno while it rolls back.
bool has_size_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

}  // namespace

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Database::Database(const std::filesystem::path& path, Mode mode) : path_(path.string()) {
  std::error_code error;
  if (mode == Mode::kRead && !std::filesystem::exists(path, error)) {
    fail(ErrorCode::kNotFound, "{}: no such history", path_);
  }
  const std::filesystem::path absolute = std::filesystem::absolute(path);
  if (mode == Mode::kWrite) std::filesystem::create_directories(absolute.parent_path());
  // For reading too it is opened for writing where that is allowed: what a kill left must be rolled back.
  const int flags = SQLITE_OPEN_READWRITE | (mode == Mode::kWrite ? SQLITE_OPEN_CREATE : 0);
  sqlite3* database = nullptr;
  const int status = sqlite3_open_v2(absolute.c_str(), &database, flags, nullptr);
  database_.reset(database);
  if (database == nullptr) throw std::bad_alloc();
  if (status != SQLITE_OK) fail_with(status);
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, kBusyMs);
  // A stranger's file can't run anything by its schema, and sizes within damaged pages are checked.
  execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
}

void Database::execute(const char* statements) {
  const int status = sqlite3_exec(database_.get(), statements, nullptr, nullptr, nullptr);
  if (status != SQLITE_OK) fail_with(status);
}

int64_t Database::changes() const { return sqlite3_changes64(database_.get()); }

void Database::fail_with(int status) const {
  ErrorCode code = ErrorCode::kFailed;
  switch (status & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      code = ErrorCode::kCorrupt;
      break;
    case SQLITE_FULL:
      code = ErrorCode::kDiskFull;
      break;
    case SQLITE_IOERR:
      if (status == SQLITE_IOERR_WRITE && has_size_limit()) code = ErrorCode::kDiskFull;
      break;
    default:
      break;
  }
  std::string message = sqlite3_errmsg(database_.get());
  if (code == ErrorCode::kDiskFull) message = "no space left (" + message + ")";
  fail(code, "{}: {}", path_, message);
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(const Database& database, std::string_view text) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  const int status = sqlite3_prepare_v2(database.database_.get(), text.data(), static_cast<int>(text.size()),
                                        &statement, nullptr);
  statement_.reset(statement);
  if (status != SQLITE_OK) database.fail_with(status);
}

void Statement::bind(int parameter, int64_t value) {
  const int status = sqlite3_bind_int64(statement_.get(), parameter, value);
  if (status != SQLITE_OK) database_.fail_with(status);
}

void Statement::bind(int parameter, std::string_view value) {
  const int status =
      sqlite3_bind_text64(statement_.get(), parameter, value.data(), value.size(),
                          SQLITE_TRANSIENT,  // NOLINT(performance-no-int-to-ptr): SQLite's own macro
                          SQLITE_UTF8);
  if (status != SQLITE_OK) database_.fail_with(status);
}

bool Statement::step() {
  const int status = sqlite3_step(statement_.get());
  if (status != SQLITE_ROW && status != SQLITE_DONE) database_.fail_with(status);
  return status == SQLITE_ROW;
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  if (text == nullptr) return "";
  return {reinterpret_cast<const char*>(text),
          static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const Error&) {
    // SQLite has rolled back by itself, as it does after some errors; the first error is on its way.
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace swinzoo::eval
