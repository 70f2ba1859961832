{ "targets": [ { "target_name": "socket", "sources": ["drivers/linux/socket.c"], "cflags": ["-Wall", "-Wextra", "-O2"] } ] }
