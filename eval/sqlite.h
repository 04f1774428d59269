// An SQLite database: statements, errors as ours.
//
// Not thread-safe. Several processes may use one file at the same time: each waits for the others, a minute
// at most. What a kill leaves half written is rolled back by the next one that opens it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace swinzoo::eval {

class Database {
 public:
  // kRead: the file must be there, else kNotFound. kWrite: it is made with its folder where it is missing.
  enum class Mode { kRead, kWrite };
  Database(const std::filesystem::path& path, Mode mode);

  // Statements without results, separated by semicolons.
  void execute(const char* statements);
  int64_t changes() const;  // rows that the last statement inserted, changed or removed

  // Throws what an SQLite status means, naming the file: kCorrupt (damaged, or no database), kDiskFull, else
  // kFailed.
  [[noreturn]] void fail_with(int status) const;

 private:
  friend class Statement;
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
};

// A prepared statement. Lives no longer than its database. All but the destructor throw as fail_with().
class Statement {
 public:
  Statement(const Database& database, std::string_view text);

  // Parameters are counted from 1.
  void bind(int parameter, int64_t value);
  void bind(int parameter, std::string_view value);  // copied

  bool step();   // whether there is a row
  void reset();  // to be run again, with its parameters as they are

  // Of the row; columns are counted from 0.
  int64_t integer(int column) const;
  std::string text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  const Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Everything until commit() or none of it; other writers wait meanwhile.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace swinzoo::eval
