# cmake -DOUT=file.cc -DFILE=a.json -DHEADER=config/keys.h -DNAME=collet::config::kKeys -P embed_text.cmake
# Writes the file as the string literal that the header declares.
file(READ ${FILE} text)
file(WRITE ${OUT} "#include \"${HEADER}\"\n\nconst std::string_view ${NAME} = R\"text(${text})text\";\n")
