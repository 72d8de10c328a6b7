module why520/cmd

go 1.26

require why520 v0.0.0

replace why520 => ../
